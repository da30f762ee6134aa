"""The stubs generated from the .proto files."""
