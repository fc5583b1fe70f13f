//! Sources of all shapes, made in a temporary directory.
