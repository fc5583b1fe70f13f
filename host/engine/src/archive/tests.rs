//! Tars written, read back, and refused.
