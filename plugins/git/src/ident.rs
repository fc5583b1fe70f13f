//! `$Id$` in files that ask for it: git writes the identifier of the content there.

/// Writes the identifier in each place for it; none where there is no such place.
///
/// A place that an identifier crept into is written anew. One with spaces inside is another system's, and stays.
pub(crate) fn apply(content: &[u8], id: impl Fn() -> String) -> Option<Vec<u8>> {
    let (mut rest, mut changed, mut id_of_content) = (content, Vec::new(), None);
    while let Some(start) = rest.windows(3).position(|three| three == b"$Id") {
        let (before, place) = rest.split_at(start + 3);
        changed.extend_from_slice(before);
        rest = match length(place) {
            Some(length) => {
                let id = id_of_content.get_or_insert_with(&id);
                changed.extend_from_slice(format!(": {id} $").as_bytes());
                &place[length..]
            }
            None => place,
        };
    }
    changed.extend_from_slice(rest);
    id_of_content.map(|_| changed)
}

/// Tells how much of what follows `$Id` belongs to the place, with the dollar at its end.
fn length(place: &[u8]) -> Option<usize> {
    match place.first()? {
        b'$' => Some(1),
        b':' => {
            let end = place.iter().position(|byte| *byte == b'$')?;
            let inside = place.get(2..end).unwrap_or_default();
            let is_ours = !place[..end].contains(&b'\n')
                && inside.iter().position(|byte| *byte == b' ').is_none_or(|at| at + 1 == inside.len());
            is_ours.then_some(end + 1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str, expected: &str) {
        let changed = apply(content.as_bytes(), || "abc".to_owned());
        assert_eq!(String::from_utf8(changed.unwrap_or_else(|| content.into())).unwrap(), expected);
    }

    #[test]
    fn writes_the_identifier_in_each_place_for_it() {
        check("a $Id$ b $Id$", "a $Id: abc $ b $Id: abc $");
        check("$Id: 123 $", "$Id: abc $");
        check("$Id:$", "$Id: abc $");
        check("$Id: $", "$Id: abc $");
        check("$$Id$$", "$$Id: abc $$");
    }

    #[test]
    fn leaves_what_only_looks_like_a_place() {
        for content in ["", "$", "$Id", "$Id:", "$Id: a\n$", "$Id: file.c,v 1.2 who $", "$Identity$", "$id$"] {
            check(content, content);
        }
    }
}
