//! Writes instructions as a Dockerfile: nothing in it goes through a shell, and nothing that a plan says can become an instruction.
//!
//! Grammar: <https://docs.docker.com/reference/dockerfile/>. Words are JSON where the grammar takes JSON, else in double quotes with
//! `"`, `\` and `$` escaped.

use std::fmt::Write as _;

use crate::plan::ImageChanges;

/// Why instructions cannot be written as a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value of `{name}` holds what a Dockerfile cannot say, or more than a line of one may; `--strategy commit` can")]
pub struct Unwritable {
    /// The variable, label or path.
    pub name: String,
}

/// Readers of Dockerfiles take no line that is longer, its end included.
const LONGEST_LINE: usize = 65_535;

/// A Dockerfile that is being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dockerfile {
    text: String,
}

impl Dockerfile {
    /// Begins with a base; `scratch` is the empty one.
    pub fn from(base: &str) -> Self {
        Self { text: format!("FROM {base}\n") }
    }

    /// Begins a stage of a name that later ones can copy from, or begin with.
    pub fn stage(&mut self, base: &str, name: &str) {
        self.line(&format!("FROM {base} AS {name}"));
    }

    /// A line for people. At the top of a file, one of the form `NAME=VALUE` would be an instruction to the parser.
    pub fn comment(&mut self, text: &str) {
        let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
        self.line(format!("# {text}").trim_end_matches([' ', '\\']));
    }

    /// A line with nothing on it.
    pub fn blank(&mut self) {
        self.line("");
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// `COPY` of a directory's inside, or of one file, from the build context.
    pub fn copy(&mut self, from: &str, to: &str, owner: Option<&str>) -> Result<(), Unwritable> {
        self.copy_from(None, from, to, owner)
    }

    /// `COPY` of a directory's inside, or of one file, from an earlier stage; without one from the build context.
    pub fn copy_from(&mut self, stage: Option<&str>, from: &str, to: &str, owner: Option<&str>) -> Result<(), Unwritable> {
        let stage = stage.map(|stage| format!("--from={stage} ")).unwrap_or_default();
        let chown =
            owner.map(|owner| word("owner", owner).map(|()| format!("--chown={owner} "))).transpose()?.unwrap_or_default();
        plain_pattern(from)?;
        word(from, from)?;
        word(to, to)?;
        let words = [from, to].map(escape_variables);
        self.line(&format!("COPY {stage}{chown}{}", json(&words)));
        Ok(())
    }

    /// `RUN` of program and arguments.
    pub fn run(&mut self, command: &[String]) {
        self.line(&format!("RUN {}", json(command)));
    }

    /// `RUN` with mounts, each as the flag takes it.
    pub fn run_with(&mut self, mounts: &[String], command: &[String]) {
        let mounts = mounts.iter().map(|mount| format!("--mount={mount}"));
        let words: Vec<String> = mounts.chain([json(command)]).collect();
        self.line(&format!("RUN {}", words.join(" ")));
    }

    /// `ENV` of one variable.
    pub fn environment(&mut self, name: &str, value: &str) -> Result<(), Unwritable> {
        self.assign("ENV", name, &quoted(name, value)?)
    }

    /// `LABEL` of one label.
    pub fn label(&mut self, name: &str, value: &str) -> Result<(), Unwritable> {
        self.assign("LABEL", name, &quoted(name, value)?)
    }

    /// `USER`; an empty one is root.
    pub fn user(&mut self, user: &str) -> Result<(), Unwritable> {
        word("user", user)?;
        self.line(&format!("USER {}", escape_variables(if user.is_empty() { "0" } else { user })));
        Ok(())
    }

    /// `WORKDIR`; an empty one is `/`.
    pub fn working_directory(&mut self, path: &str) -> Result<(), Unwritable> {
        word(path, path)?;
        self.line(&format!("WORKDIR {}", escape_variables(if path.is_empty() { "/" } else { path })));
        Ok(())
    }

    /// `EXPOSE` of one port.
    pub fn expose(&mut self, port: &str) -> Result<(), Unwritable> {
        word(port, port)?;
        self.line(&format!("EXPOSE {}", escape_variables(port)));
        Ok(())
    }

    /// `ENTRYPOINT`; it makes the engine forget the command.
    pub fn entrypoint(&mut self, words: &[String]) {
        self.line(&format!("ENTRYPOINT {}", json(words)));
    }

    /// `CMD`.
    pub fn command(&mut self, words: &[String]) {
        self.line(&format!("CMD {}", json(words)));
    }

    /// What an image says of itself beyond its base. `command` is what the base runs, to be said again where it was forgotten.
    pub fn changes(&mut self, changes: &ImageChanges, command: Option<&[String]>) -> Result<(), Unwritable> {
        for variable in &changes.environment {
            self.environment(&variable.name, &variable.value)?;
        }
        for label in &changes.labels {
            self.label(&label.name, &label.value)?;
        }
        for port in &changes.expose {
            self.expose(port)?;
        }
        if let Some(path) = &changes.working_directory {
            self.working_directory(path)?;
        }
        if let Some(user) = &changes.user {
            self.user(user)?;
        }
        if let Some(entrypoint) = &changes.entrypoint {
            self.entrypoint(entrypoint);
        }
        if let Some(command) = changes.command.as_deref().or(command) {
            self.command(command);
        }
        Ok(())
    }

    /// `ENV` or `LABEL` with the value as it stands between a pair of quotes, for a reader that takes nothing else away.
    pub fn verbatim(&mut self, instruction: &str, name: &str, value: &str) -> Result<(), Unwritable> {
        one_line(name, value)?;
        self.assign(instruction, name, &format!("\"{value}\""))
    }

    fn assign(&mut self, instruction: &str, name: &str, quoted: &str) -> Result<(), Unwritable> {
        let line = format!("{instruction} {}={quoted}", bare(name)?);
        if line.len() >= LONGEST_LINE {
            return Err(Unwritable { name: name.to_owned() });
        }
        self.line(&line);
        Ok(())
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }
}

fn json(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(","))
}

fn quoted(name: &str, value: &str) -> Result<String, Unwritable> {
    one_line(name, value)?;
    let mut text = String::from("\"");
    for character in value.chars() {
        if matches!(character, '"' | '\\' | '$') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    Ok(text)
}

/// Names stand without quotes.
fn bare(name: &str) -> Result<&str, Unwritable> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/');
    if !name.is_empty() && name.bytes().all(is_plain) {
        Ok(name)
    } else {
        Err(Unwritable { name: name.escape_debug().to_string() })
    }
}

/// Where variables are expanded and quotes are taken away, all of that is to stay as it is.
fn escape_variables(text: &str) -> String {
    let escaped = text.chars().flat_map(|character| {
        let escape = matches!(character, '\\' | '$' | '"' | '\'').then_some('\\');
        escape.into_iter().chain([character])
    });
    escaped.collect()
}

/// Without quotes, a backslash at the end would join the next line.
fn word(name: &str, value: &str) -> Result<(), Unwritable> {
    if value.ends_with('\\') {
        return Err(Unwritable { name: name.escape_debug().to_string() });
    }
    one_line(name, value)
}

/// What is copied is a pattern, which is to fit nothing but itself.
fn plain_pattern(from: &str) -> Result<(), Unwritable> {
    if from.contains(['*', '?', '[', ']', '\\']) {
        return Err(Unwritable { name: from.escape_debug().to_string() });
    }
    Ok(())
}

/// A line's end would begin an instruction.
fn one_line(name: &str, value: &str) -> Result<(), Unwritable> {
    if value.chars().any(|character| character.is_control() && character != '\t') {
        return Err(Unwritable { name: name.escape_debug().to_string() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Variable;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn writes_each_instruction_so_that_nothing_is_expanded() {
        let mut file = Dockerfile::from("sha256:0a");
        file.copy("content-0", "/tmp/a b$HOME\"x", Some("431:433")).unwrap();
        file.run(&words(&["/usr/bin/prepare", "a \"b\"\nRUN x", "$HOME"]));
        file.environment("GREETING", "say \"hi\" to $USER \\").unwrap();
        let changes = ImageChanges {
            entrypoint: Some(words(&["/init"])),
            command: Some(words(&["/usr/bin/run"])),
            environment: vec![Variable::new("A", "1")],
            labels: vec![Variable::new("io.openshift.s2i.build.image", "app:1")],
            user: Some(String::new()),
            working_directory: Some("/srv".to_owned()),
            expose: vec!["8080/tcp".to_owned()],
        };
        file.changes(&changes, None).unwrap();
        insta::assert_snapshot!(file.into_text(), @r###"
        FROM sha256:0a
        COPY --chown=431:433 ["content-0","/tmp/a b\\$HOME\\\"x"]
        RUN ["/usr/bin/prepare","a \"b\"\nRUN x","$HOME"]
        ENV GREETING="say \"hi\" to \$USER \\"
        ENV A="1"
        LABEL io.openshift.s2i.build.image="app:1"
        EXPOSE 8080/tcp
        WORKDIR /srv
        USER 0
        ENTRYPOINT ["/init"]
        CMD ["/usr/bin/run"]
        "###);
    }

    #[test]
    fn writes_stages_of_which_nothing_can_break_out() {
        let mut file = Dockerfile::default();
        file.comment("two\nlines \\");
        file.stage("registry.example.com/builder:1", "step-1");
        file.copy_from(Some("step-0"), "/tmp/$a b", "/srv", Some("7:8")).unwrap();
        file.run_with(&["type=bind,from=step-0,source=/a,target=/b,rw".to_owned()], &words(&["/x", "--mount=y"]));
        insta::assert_snapshot!(file.into_text(), @r###"
        # two lines
        FROM registry.example.com/builder:1 AS step-1
        COPY --from=step-0 --chown=7:8 ["/tmp/\\$a b","/srv"]
        RUN --mount=type=bind,from=step-0,source=/a,target=/b,rw ["/x","--mount=y"]
        "###);
    }

    #[test]
    fn says_the_command_of_the_base_again_where_an_entrypoint_took_it_away() {
        let mut file = Dockerfile::from("scratch");
        file.changes(&ImageChanges { entrypoint: Some(words(&["/init"])), ..ImageChanges::default() }, Some(&words(&["serve"])))
            .unwrap();
        assert_eq!(file.into_text(), "FROM scratch\nENTRYPOINT [\"/init\"]\nCMD [\"serve\"]\n");
    }

    #[test]
    fn refuses_what_would_become_an_instruction_of_its_own() {
        let mut file = Dockerfile::default();
        assert!(file.environment("A", "1\nRUN evil").is_err());
        assert!(file.environment("A B", "1").is_err());
        assert!(file.environment("A=1 B", "1").is_err());
        assert!(file.working_directory("/x\nRUN evil").is_err());
        assert!(file.working_directory("/x\\").is_err());
        assert!(file.user("root\r").is_err());
        assert!(file.copy("content-0", "/x", Some("a\nb")).is_err());
        assert!(file.copy("content-*", "/x", None).is_err());
        assert!(file.label("a", &"x".repeat(65_530)).is_err() && file.environment("A", &"$".repeat(33_000)).is_err());
        assert_eq!(file.into_text(), "");
        let error = Unwritable { name: "A".to_owned() };
        assert!(error.to_string().contains("--strategy commit"));
    }
}
