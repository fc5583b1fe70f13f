//! Variables that a source brings along, in `.s2i/environment`.

use super::brought::brought;
use crate::{Problem, Tree, Variable};

/// What such a file is called, beside the directory of the scripts.
const NAME: &str = "environment";
/// More than any such file has.
const MOST_BYTES: u32 = 1 << 20;

/// Reads the variables of a source, in the order of their lines; of a name that is there twice the last value counts. Empty where there is
/// no such file.
///
/// A line is `NAME=VALUE`, and the value is all behind the first `=`, without blanks around it; lines that begin with `#` are comments. Source: the user guide
/// of `OpenShift`'s source-to-image, "Injecting environment variables".
///
/// ```
/// use sti_plugin::contract::environment_of;
/// use sti_plugin::testing::MemoryTree;
///
/// let source = MemoryTree::new().file(".s2i/environment", "# for tests\nMODE = fast \nURL=http://a/?b=c\n");
/// let variables = environment_of(&source.open()).unwrap();
/// assert_eq!(variables.iter().map(ToString::to_string).collect::<Vec<_>>(), ["MODE=fast", "URL=http://a/?b=c"]);
///
/// let source = MemoryTree::new().file(".s2i/environment", "MODE=fast\n\nsense\n");
/// assert_eq!(environment_of(&source.open()).unwrap_err().code(), "invalid-environment");
/// ```
///
/// # Errors
/// `invalid-environment`, with the number of the line.
pub fn environment_of(source: &Tree) -> Result<Vec<Variable>, Problem> {
    let Some((path, bytes)) = brought(source, NAME, MOST_BYTES)? else { return Ok(Vec::new()) };
    let text = String::from_utf8(bytes).map_err(|_| malformed(&path, "it is no UTF-8 text"))?;
    let mut variables = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = format!("{path}:{number}");
        let (name, value) = line.split_once('=').ok_or_else(|| malformed(&at, "there is no `=`"))?;
        let (name, value) = (name.trim_end(), value.trim_start());
        if name.is_empty() || name.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Err(malformed(&at, &format!("`{}` is no name of a variable", name.escape_debug())));
        }
        set(&mut variables, Variable::new(name, value));
    }
    Ok(variables)
}

/// The variables of a source below those of the user, each once.
pub(super) fn joined(of_source: Vec<Variable>, of_user: Vec<Variable>) -> Vec<Variable> {
    let mut all = of_source;
    for variable in of_user {
        set(&mut all, variable);
    }
    all
}

fn set(variables: &mut Vec<Variable>, variable: Variable) {
    match variables.iter_mut().find(|earlier| earlier.name == variable.name) {
        Some(earlier) => earlier.value = variable.value,
        None => variables.push(variable),
    }
}

fn malformed(at: &str, why: &str) -> Problem {
    Problem::invalid("invalid-environment", format!("`{at}` of the source: {why}"))
        .hint("one NAME=VALUE a line, without quotes; lines that begin with `#` are comments")
}
