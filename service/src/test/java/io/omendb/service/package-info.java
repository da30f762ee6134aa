@NullMarked
package io.omendb.service;

import org.jspecify.annotations.NullMarked;
