//! `NAME=VALUE` in its three uses: variables, settings, labels. What is malformed is refused before any work, never dropped.

use std::path::Path;

use sti_core::Variable;

use crate::StiError;

/// Reads what `-e` was given. One value may hold a list `A=1,B=2` when every piece has the form NAME=VALUE with NAME an identifier;
/// otherwise the commas belong to the value.
pub(super) fn variables(given: &str) -> Result<Vec<Variable>, StiError> {
    let pieces: Vec<&str> = given.split(',').collect();
    if pieces.len() > 1 && pieces.iter().all(|piece| has_identifier(piece)) {
        return Ok(pieces.into_iter().map(Variable::from_pair).collect());
    }
    whole(given).map(|variable| vec![variable])
}

/// Reads one variable. All that stands behind the first `=` is its value.
pub(super) fn whole(given: &str) -> Result<Variable, StiError> {
    match given.split_once('=') {
        Some((name, value)) if is_name(name) && !value.contains('\0') => Ok(Variable::new(name, value)),
        Some((name, _)) => Err(malformed(given, &format!("`{}` is no name of a variable", name.escape_debug()))),
        None => Err(malformed(given, "there is no `=`")),
    }
}

/// Reads a file of variables, one a line.
pub(super) fn file(text: &str, shown: &Path) -> Result<Vec<Variable>, StiError> {
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        all.extend(variables(line).map_err(|error| in_line(&error, shown, number + 1))?);
    }
    Ok(all)
}

/// The last value of a name wins, and the order of first mention stays.
pub(super) fn merged(all: impl IntoIterator<Item = Variable>) -> Vec<Variable> {
    let mut merged: Vec<Variable> = Vec::new();
    for variable in all {
        match merged.iter_mut().find(|earlier| earlier.name == variable.name) {
            Some(earlier) => earlier.value = variable.value,
            None => merged.push(variable),
        }
    }
    merged
}

/// Reads `NAME=VALUE` of `--set` and `--label`.
pub(super) fn pair(flag: &str, given: &str) -> Result<Variable, StiError> {
    match given.split_once('=') {
        Some((name, value)) if is_key(name) && !value.contains('\0') => Ok(Variable::new(name, value)),
        _ => Err(StiError::InvalidArgument {
            what: format!("`{flag} {}` is not of the form NAME=VALUE", given.escape_debug()),
            hint: Some(format!("{flag} NAME=VALUE")),
        }),
    }
}

/// Labels and settings may hold slashes too, such as `example.com/team`.
fn is_key(name: &str) -> bool {
    let is_character = |character: char| is_name_character(character) || character == '/';
    name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_') && name.chars().all(is_character)
}

fn malformed(given: &str, why: &str) -> StiError {
    let name: String = given.chars().take_while(|character| is_name_character(*character)).collect();
    let hint = if is_name(&name) { format!("-e {name}=VALUE") } else { "-e NAME=VALUE".to_owned() };
    StiError::InvalidEnvironment {
        what: format!("`{}` is not of the form NAME=VALUE: {why}", given.escape_debug()),
        hint: Some(hint),
    }
}

fn in_line(error: &StiError, shown: &Path, number: usize) -> StiError {
    let hint = Some("one NAME=VALUE a line; lines that begin with `#` are comments".to_owned());
    StiError::InvalidEnvironment { what: format!("{}:{number}: {error}", shown.display()), hint }
}

fn has_identifier(piece: &str) -> bool {
    let is_identifier = |name: &str| is_name(name) && !name.contains(['.', '-']);
    piece.split_once('=').is_some_and(|(name, _)| is_identifier(name))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && name.chars().all(is_name_character)
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_reads(given: &str, pairs: &[(&str, &str)]) {
        let expected: Vec<_> = pairs.iter().map(|(name, value)| Variable::new(*name, *value)).collect();
        assert_eq!(variables(given).unwrap(), expected, "{given}");
    }

    fn check_refuses(given: &str, hint: &str) {
        let error = variables(given).expect_err(given);
        assert_eq!((error.condition().name, error.hint().as_deref()), ("invalid-environment", Some(hint)), "{given}");
    }

    #[test]
    fn a_list_is_a_list_only_when_every_piece_is_a_variable() {
        check_reads("A=1", &[("A", "1")]);
        check_reads("A=1,B=2", &[("A", "1"), ("B", "2")]);
        check_reads("A=1,B=", &[("A", "1"), ("B", "")]);
        check_reads("A=1,2,3", &[("A", "1,2,3")]);
        check_reads("A=1,B=2,three", &[("A", "1,B=2,three")]);
        check_reads("OPTS=-Xa,-Db=c", &[("OPTS", "-Xa,-Db=c")]);
        check_reads("URL=https://host/?a=b", &[("URL", "https://host/?a=b")]);
        check_reads("A=", &[("A", "")]);
        check_reads("A=two words\nand a line", &[("A", "two words\nand a line")]);
    }

    #[test]
    fn what_is_malformed_is_refused_with_the_nearest_form() {
        check_refuses("A", "-e A=VALUE");
        check_refuses("", "-e NAME=VALUE");
        check_refuses("=1", "-e NAME=VALUE");
        check_refuses("1A=2", "-e NAME=VALUE");
        check_refuses("A B=2", "-e A=VALUE");
        check_refuses("A,B", "-e A=VALUE");
    }

    #[test]
    fn a_file_has_one_a_line_and_says_which_line_is_wrong() {
        let text = "# comment\n\nA=1\n  B=2,C=3  \n";
        assert_eq!(file(text, Path::new("vars")).unwrap().len(), 3);
        let error = file("A=1\nnonsense\n", Path::new("vars")).unwrap_err();
        assert!(error.to_string().starts_with("vars:2: "), "{error}");
    }

    #[test]
    fn the_last_value_wins() {
        let given = [Variable::new("A", "1"), Variable::new("B", "2"), Variable::new("A", "3")];
        assert_eq!(merged(given), [Variable::new("A", "3"), Variable::new("B", "2")]);
    }
}
