//! A recorded plan as text: one line a step, and one for each thing in it.

use std::fmt;

use super::{
    RecordedChanges, RecordedInstruction, RecordedLayer, RecordedPlace, RecordedPlan, RecordedProduct, RecordedStep, StepKind,
};
use crate::{Network, Placement, Variable};

impl RecordedPlan {
    /// Writes the plan the way a test wants to read it.
    pub fn to_text(&self) -> String {
        let mut lines = Vec::new();
        for (number, step) in (1..).zip(&self.steps) {
            lines.push(format!("{number}. {step}"));
            lines.extend(step.lines().into_iter().map(|line| format!("   {line}")));
        }
        lines.extend(self.products.iter().map(ToString::to_string));
        lines.push(String::new());
        lines.join("\n")
    }
}

impl RecordedStep {
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.command.is_empty() {
            lines.push(format!("command {}", self.command.join(" ")));
        }
        lines.extend(self.environment.iter().map(environment));
        lines.extend(self.user.iter().map(|user| format!("user {user}")));
        lines.extend(self.working_directory.iter().map(|path| format!("working directory {path}")));
        lines.extend(self.network.map(network));
        lines.extend(self.transient.iter().map(|path| format!("transient {path}")));
        lines.extend(self.places.iter().map(ToString::to_string));
        lines.extend(self.triggers_context.iter().map(|context| format!("carry out ONBUILD with {context}")));
        lines.extend(self.instructions.iter().map(ToString::to_string));
        lines.extend(self.layers.iter().map(ToString::to_string));
        lines.extend(self.captures.iter().map(|path| format!("capture {path}")));
        lines.extend(self.labels_from.iter().map(|path| format!("labels from {path}")));
        if self.tolerates_failure {
            lines.push("tolerate failure".to_owned());
        }
        if self.is_committed {
            lines.push("commit".to_owned());
        }
        lines.extend(self.changes.lines().into_iter().map(|line| format!("image {line}")));
        lines
    }
}

impl RecordedChanges {
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.entrypoint.iter().map(|words| format!("entrypoint {}", words.join(" "))));
        lines.extend(self.command.iter().map(|words| format!("command {}", words.join(" "))));
        lines.extend(self.environment.iter().map(environment));
        lines.extend(self.labels.iter().map(|label| format!("label {label}")));
        lines.extend(self.user.iter().map(|user| format!("user {user}")));
        lines.extend(self.working_directory.iter().map(|path| format!("working directory {path}")));
        lines.extend(self.expose.iter().map(|port| format!("expose {port}")));
        lines
    }
}

impl fmt::Display for RecordedStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            StepKind::Run => "run",
            StepKind::Build => "build",
            StepKind::Assemble => "assemble",
        };
        write!(formatter, "{kind} `{}` on {}", self.title, self.on)
    }
}

impl fmt::Display for RecordedPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.placement {
            Placement::Mounted => "mount",
            Placement::Copied => "copy",
        };
        write!(formatter, "{how} {} at {}", self.content, self.at)
    }
}

impl fmt::Display for RecordedInstruction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy { content, at, owner } => write!(formatter, "copy {content} at {at}{}", owned_by(owner.as_deref())),
            Self::Run(words) => write!(formatter, "run {}", words.join(" ")),
            Self::Environment(variable) => formatter.write_str(&environment(variable)),
            Self::User(user) => write!(formatter, "user {user}"),
            Self::WorkingDirectory(path) => write!(formatter, "working directory {path}"),
        }
    }
}

impl fmt::Display for RecordedLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "layer `{}`: {} at {}{}", self.title, self.content, self.at, owned_by(self.owner.as_deref()))
    }
}

impl fmt::Display for RecordedProduct {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "product {}: step {}", self.name, self.step)
    }
}

fn environment(variable: &Variable) -> String {
    format!("environment {variable}")
}

fn network(network: Network) -> String {
    let reach = match network {
        Network::None => "none",
        Network::Outgoing => "outgoing",
    };
    format!("network {reach}")
}

fn owned_by(owner: Option<&str>) -> String {
    owner.map(|owner| format!(" for {owner}")).unwrap_or_default()
}
