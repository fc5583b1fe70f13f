//! Makes output the same on every run: what is drawn, counted or measured becomes a token.

/// Replaces paths and names by tokens, hexadecimal words of twelve and more digits by `[id]`, and times by `[time]`.
pub(crate) fn scrub(text: &str, replaced: &[(&str, &str)]) -> String {
    let named = replaced.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    named.split_inclusive('\n').map(scrub_line).collect()
}

fn scrub_line(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let is_unit = matches!(word.trim_end_matches(['\n', ')', ',', '.']), "s" | "ms");
        match words.last_mut() {
            Some(number) if is_unit && is_number(number) => {
                *number = word.replacen(word.trim_end_matches(['\n', ')', ',', '.']), "[time]", 1);
            }
            _ => words.push(scrub_word(word)),
        }
    }
    words.join(" ")
}

fn is_number(word: &str) -> bool {
    let digits = word.trim_start_matches('(');
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn scrub_word(word: &str) -> String {
    let mut scrubbed = String::new();
    let mut rest = word;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        scrubbed.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = rest.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length);
        scrubbed.push_str(if is_id(run) { "[id]" } else { run });
        rest = after;
    }
    scrubbed + rest
}

fn is_id(run: &str) -> bool {
    run.len() >= 12 && run.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn what_differs_from_run_to_run_becomes_a_token() {
        let cases = [
            ("image sha256:0123456789abcdef made", "image sha256:[id] made"),
            ("prepare ended after 0.42 s\nnext", "prepare ended after [time]\nnext"),
            ("3 files of 12 s", "3 files of [time]"),
            ("from /tmp/x1/src to app", "from [lab]/src to app"),
            ("deadbeef is short", "deadbeef is short"),
        ];
        for (text, wanted) in cases {
            assert_eq!(scrub(text, &[("/tmp/x1", "[lab]")]), wanted);
        }
    }
}
