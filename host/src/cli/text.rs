//! Small words for people: sizes and times.

use std::time::Duration;

/// Bytes in the largest unit that leaves a whole number before the point.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut hundredths = bytes / 10;
    let mut unit = 0;
    while hundredths >= 100_000 && unit + 1 < UNITS.len() {
        hundredths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", hundredths / 100, hundredths % 100 / 10, UNITS[unit])
}

/// A time as a person reads it.
pub(super) fn duration(duration: Duration) -> String {
    let tenths = duration.as_millis() / 100;
    match tenths {
        0..600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} min {} s", tenths / 600, tenths % 600 / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        let shown: Vec<_> = [0, 999, 1000, 1_550, 999_999, 1_000_000, 2_340_000_000].map(size).into();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "1.5 kB", "999.9 kB", "1.0 MB", "2.3 GB"]);
    }

    #[test]
    fn times_read_well() {
        let shown: Vec<_> = [0, 1_240, 59_990, 61_000].map(|millis| duration(Duration::from_millis(millis))).into();
        assert_eq!(shown, ["0.0 s", "1.2 s", "59.9 s", "1 min 1 s"]);
    }
}
