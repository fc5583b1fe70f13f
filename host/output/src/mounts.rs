//! `RUN --mount`: what a command is given and nothing of which stays.
//!
//! Keys: <https://docs.docker.com/reference/dockerfile/#run---mount>. `docker build` with `BuildKit`, Podman and Buildah know them.

use sti_core::plan::{Content, Place, Run, Step};

use crate::{
    error::Error,
    origin::Origin,
    stages::{Stages, Writing},
};

/// Where in the stage of places a content lies that is mounted by itself.
const APART: &str = "/.places";

impl Stages<'_> {
    /// Writes the stage that holds what a command is given; answers the mounts that bring it from there.
    ///
    /// It begins with the same image: so a directory that the command may do with what it likes is there as the image has it.
    pub(crate) fn places(&mut self, writing: &Writing<'_>, run: &Run) -> Result<Vec<String>, Error> {
        let owner = self.known.chown(self.plan, writing.step);
        let stage = format!("{}-places", writing.stage);
        let given: Vec<_> = run.places.iter().filter(|place| is_elsewhere(self, run, place)).collect();
        let mut mounts: Vec<String> = Vec::new();
        if !given.is_empty() || !run.transient.is_empty() {
            self.file.comment(&format!("What `{}` is given.", writing.step.title));
            self.file.stage(writing.base, &stage);
        }
        for directory in &run.transient {
            mounts.push(bind(writing.step, &stage, directory, directory)?);
            self.mounted_upon = Some(directory.clone());
        }
        for (number, place) in given.into_iter().enumerate() {
            let at = match run.transient_above(&place.at) {
                Some(_) => place.at.clone(),
                None => format!("{APART}/{number}"),
            };
            self.copy(writing.step, place.content, &at, owner.as_deref())?;
            if run.transient_above(&place.at).is_none() {
                mounts.push(bind(writing.step, &stage, &at, &place.at)?);
            }
        }
        if !mounts.is_empty() {
            self.file.blank();
            self.needs_mounts = true;
        }
        Ok(mounts)
    }

    /// The mounts of the secrets that a command is given. Without the secret the build fails, as it would here.
    pub(crate) fn secrets(&mut self, step: &Step, run: &Run) -> Result<Vec<String>, Error> {
        let (uid, gid) = self.known.owner(self.plan, step).unwrap_or_default();
        let mut mounts = Vec::new();
        for place in &run.places {
            let Some(name) = self.secret(place).map(str::to_owned) else { continue };
            let (name, at) = (mountable(step, &name)?, mountable(step, &place.at)?);
            mounts.push(format!("type=secret,id={name},target={at},uid={uid},gid={gid},mode=0400,required=true"));
            self.needs_mounts = true;
            self.secrets.insert(name.to_owned());
        }
        Ok(mounts)
    }

    /// The name of the secret that is put at a place, if one is.
    pub(crate) fn secret(&self, place: &Place) -> Option<&str> {
        match self.plan.resolve(place.content)? {
            (_, Content::Secret { name }, below) if below.is_empty() => Some(name),
            _ => None,
        }
    }

    /// Copies a content to a path of the stage that is being written.
    pub(crate) fn copy(
        &mut self,
        step: &Step,
        content: sti_core::plan::ContentId,
        at: &str,
        owner: Option<&str>,
    ) -> Result<(), Error> {
        let origin = crate::origin::origin_of(self.plan, content, self.context, &mut self.placed);
        let Origin { stage, path } = origin.map_err(|what| Error::unsayable(&step.title, what))?;
        let copied = self.file.copy_from(stage.as_deref(), &path, at, owner);
        copied.map_err(|error| Error::unwritable(&step.title, &error))
    }
}

/// Whether a place is filled in the stage of places: what is copied is copied where it stays, and secrets are never copied.
fn is_elsewhere(stages: &Stages<'_>, run: &Run, place: &Place) -> bool {
    stages.secret(place).is_none() && (run.is_mount(place) || run.transient_above(&place.at).is_some())
}

fn bind(step: &Step, stage: &str, from: &str, to: &str) -> Result<String, Error> {
    Ok(format!("type=bind,from={stage},source={},target={},rw", mountable(step, from)?, mountable(step, to)?))
}

/// The flag's value is read as words between commas, after variables were expanded: only what is plain stays as it is.
fn mountable<'a>(step: &Step, word: &'a str) -> Result<&'a str, Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:".contains(&byte);
    if word.bytes().all(is_plain) {
        return Ok(word);
    }
    Err(Error::unsayable(&step.title, format!("`{}` cannot be mounted there: its name is not plain", word.escape_debug())))
}
