//! The fetcher as a whole, on archives that are made in memory.

mod attacks;
mod contents;
mod make;
mod truncation;
