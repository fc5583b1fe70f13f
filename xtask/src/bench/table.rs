//! What is printed in the end: a line for each case, and a mark where `sti` takes longer than it may.

use std::time::Duration;

use super::{Row, Times};

/// At most so many times what the bare calls take, to the answer.
const BOUND: f64 = 1.15;

/// Prints all rows.
pub(super) fn print(rows: &[Row], runs: usize) {
    let width = rows.iter().map(|row| row.case.name.len()).max().unwrap_or_default();
    println!("\nmedians of {runs}; seconds to the answer, and to the end with everything cleaned up\n");
    println!(
        "{:width$} {:>8} {:>8} {:>6}   {:>8} {:>8} {:>6}  {:>8} {:>11} {:>9}",
        "case", "bare", "sti", "ratio", "bare end", "sti end", "ratio", "requests", "peak memory", "temp disk"
    );
    for row in rows {
        let Row { case, bare, sti, observed } = row;
        println!(
            "{:width$} {:>8} {:>8} {:>6.2}{} {:>8} {:>8} {:>6.2}  {:>8} {:>7.1} MiB {:>7} B",
            case.name,
            seconds(bare.answer),
            seconds(sti.answer),
            ratio(row, |times| times.answer),
            if is_above(row) { " *" } else { "  " },
            seconds(bare.end),
            seconds(sti.end),
            ratio(row, |times| times.end),
            observed.requests,
            observed.peak_memory_kib / 1024.0,
            observed.temporary_bytes,
        );
    }
    if rows.iter().any(is_above) {
        println!("\n* above the bound: at most {BOUND} times the bare calls, to the answer");
    }
}

fn is_above(row: &Row) -> bool {
    ratio(row, |times| times.answer) > BOUND
}

fn ratio(row: &Row, of: fn(&Times) -> Duration) -> f64 {
    of(&row.sti).as_secs_f64() / of(&row.bare).as_secs_f64()
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}
