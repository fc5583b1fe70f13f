//! The closest valid name for one that was mistyped.

/// Finds the candidate that `typed` most likely meant; `None` where nothing is near.
///
/// Near is a Damerau–Levenshtein distance of at most a third of the longer name's length, and never more than 3.
pub fn closest<'name>(typed: &str, candidates: impl IntoIterator<Item = &'name str>) -> Option<&'name str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(typed, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (typed.len().max(candidate.len()) / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn offers_what_is_one_slip_away_and_nothing_far() {
        let names = ["commit", "dockerfile"];
        assert_eq!(closest("comit", names), Some("commit"));
        assert_eq!(closest("dokcerfile", names), Some("dockerfile"));
        assert_eq!(closest("kaniko", names), None);
    }
}
