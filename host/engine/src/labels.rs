//! Labels that a command leaves for the image that is made of its container.
//!
//! The form is that of `OpenShift`'s source-to-image, `docs/new_labels.md`: `{"labels": [{"name": "value"}, …]}`.

use std::collections::BTreeMap;

use serde::Deserialize;
use sti_core::{
    Variable,
    plan::{ImageChanges, Run, Step},
};
use sti_policy::refused_label;

use crate::Error;

/// What such a file may hold.
const MOST_BYTES: usize = 10_240;
/// More than that is not even read.
pub const LONGEST: u64 = 1 << 20;

/// What lies where a command may leave labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// A file with these bytes.
    File(Vec<u8>),
    /// A file that is longer than [`LONGEST`].
    TooLong,
    /// Something else.
    NoFile,
}

#[derive(Deserialize)]
struct File {
    labels: Vec<BTreeMap<String, String>>,
}

/// What a commit says of its image, with the labels of the file that its command left. What the plan says wins: nobody's script speaks for
/// the user, or for where a product comes from.
///
/// # Errors
/// [`Error::LabelsInvalid`] where the file holds something else, or a label that no image may bear.
pub fn with_labels(changes: &ImageChanges, step: &Step, run: &Run, left: &Left) -> Result<ImageChanges, Error> {
    let Some(path) = &run.labels_from else { return Ok(changes.clone()) };
    let invalid = |why: String| Error::LabelsInvalid { title: step.title.clone(), path: path.clone(), why };
    let mut changes = changes.clone();
    let planned: Vec<String> = changes.labels.iter().map(|label| label.name.clone()).collect();
    for label in labels_of(left).map_err(invalid)? {
        if !planned.contains(&label.name) {
            changes.labels.retain(|earlier| earlier.name != label.name);
            changes.labels.push(label);
        }
    }
    Ok(changes)
}

fn labels_of(left: &Left) -> Result<Vec<Variable>, String> {
    match left {
        Left::Nothing => Ok(Vec::new()),
        Left::File(bytes) if bytes.len() <= MOST_BYTES => read(bytes),
        Left::File(_) | Left::TooLong => Err(format!("it has more than {MOST_BYTES} bytes")),
        Left::NoFile => Err("it is no file".to_owned()),
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Variable>, String> {
    let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let labels = file.labels.into_iter().flatten().map(|(name, value)| Variable::new(name, value));
    labels
        .map(|label| match refused_label(&label) {
            Some(why) => Err(format!("the label `{}`: {why}", label.name.escape_debug())),
            None => Ok(label),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use sti_core::Variable;

    use super::{Left, labels_of};

    #[test]
    fn reads_labels_and_says_what_is_wrong_with_others() {
        let read = |text: &str| labels_of(&Left::File(text.as_bytes().to_vec()));
        let labels = read(r#"{"labels": [{"a": "1"}, {"b": "2", "c.d/e": ""}], "other": 3}"#).unwrap();
        assert_eq!(labels.iter().map(Variable::to_pair).collect::<Vec<_>>(), ["a=1", "b=2", "c.d/e="]);
        assert_eq!(read(r#"{"labels": []}"#), Ok(Vec::new()));
        let wrong = [
            "",
            "[]",
            "{}",
            r#"{"labels": {"a": "1"}}"#,
            r#"{"labels": [{"a": 1}]}"#,
            r#"{"labels": [{"sti.build": "1"}]}"#,
            r#"{"labels": [{"a b": "1"}]}"#,
            r#"{"labels": [{"": "1"}]}"#,
            "\u{0}",
        ];
        for text in wrong {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&format!(r#"{{"labels": [{{"a": "{}"}}]}}"#, "x".repeat(10_240))).is_err());
        assert!(labels_of(&Left::TooLong).is_err() && labels_of(&Left::NoFile).is_err());
        assert_eq!(labels_of(&Left::Nothing), Ok(Vec::new()));
    }
}
