package omendb_test

import (
	"os"
	"strings"
	"testing"
)

// readmeBlock gives one of the README's blocks in this language.
func readmeBlock(t *testing.T, language string, index int) string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(readme), "```"+language+"\n")
	if index+1 >= len(parts) {
		t.Fatalf("README.md has %d blocks of %s, expected %d", len(parts)-1, language, index+1)
	}
	block, _, _ := strings.Cut(parts[index+1], "```\n")
	return block
}
