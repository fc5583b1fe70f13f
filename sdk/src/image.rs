//! Container images, to look at: what their configuration says, and what lies in them.

use crate::{
    Identity, PathFact, Problem, Pull, Variable,
    contract::{self, Fitness},
    host::images,
};

/// Finds an image, pulling it if need be. `None` only where it exists nowhere it may be looked for.
///
/// ```
/// use sti_plugin::{Pull, find};
/// use sti_plugin::testing::{FakeImage, FakeImages};
///
/// let images = FakeImages::new([FakeImage::new("builder:1").user("431")]);
/// images.during(|| {
///     let image = find("builder:1", Pull::AsAsked)?.expect("the image is there");
///     assert_eq!(image.user(), "431");
///     assert!(find("other", Pull::Never)?.is_none());
///     Ok::<(), sti_plugin::Problem>(())
/// }).unwrap();
/// ```
pub fn find(reference: &str, pull: Pull) -> Result<Option<Image>, Problem> {
    Ok(images::find(reference, pull)?.map(Image))
}

/// Finds an image that must be there; else the problem `no-such-image` names it.
///
/// ```
/// use sti_plugin::{Pull, require};
///
/// let problem = require("nowhere", Pull::Never).err().expect("there are no images at all");
/// assert_eq!(problem.code(), "no-such-image");
/// ```
pub fn require(reference: &str, pull: Pull) -> Result<Image, Problem> {
    find(reference, pull)?.ok_or_else(|| {
        Problem::not_found("no-such-image", format!("there is no image `{reference}`"))
            .hint(format!("check the name, or build or load it first: docker image inspect {reference}"))
    })
}

/// An image: its name was resolved when it was found, and a tag that moves since then changes nothing.
pub struct Image(pub(crate) images::Image);

impl Image {
    /// Tells the name under which it was asked for.
    pub fn reference(&self) -> String {
        self.0.reference()
    }

    /// Tells the identity of the content: `sha256:…` of its configuration.
    pub fn digest(&self) -> String {
        self.0.digest()
    }

    /// Tells what it runs on, such as `linux/amd64`.
    pub fn platform(&self) -> String {
        self.0.platform()
    }

    /// Lists program and arguments that are put before every command; empty where there is none.
    pub fn entrypoint(&self) -> Vec<String> {
        self.0.entrypoint()
    }

    /// Lists the command's words; empty where there is none.
    pub fn command(&self) -> Vec<String> {
        self.0.command()
    }

    /// Tells the user as the configuration writes it; `""` means root. Costs nothing, while [`Image::runs_as`] may look into the image.
    pub fn user(&self) -> String {
        self.0.user()
    }

    /// Tells the working directory; `""` means `/`.
    pub fn working_directory(&self) -> String {
        self.0.working_directory()
    }

    /// Lists the environment in the order of the configuration.
    pub fn environment(&self) -> Vec<Variable> {
        Variable::list(self.0.environment())
    }

    /// Lists the labels.
    pub fn labels(&self) -> Vec<Variable> {
        Variable::list(self.0.labels())
    }

    /// Tells the value of a label.
    pub fn label(&self, name: &str) -> Option<String> {
        self.0.label(name)
    }

    /// Lists the exposed ports, such as `8080/tcp`.
    pub fn exposed_ports(&self) -> Vec<String> {
        self.0.exposed_ports()
    }

    /// Lists the mount points of declared volumes.
    pub fn volumes(&self) -> Vec<String> {
        self.0.volumes()
    }

    /// Lists the `ONBUILD` instructions, as written.
    pub fn triggers(&self) -> Vec<String> {
        self.0.triggers()
    }

    /// Tells who a container of the image runs as, names resolved inside the image.
    pub fn runs_as(&self) -> Result<Identity, Problem> {
        Ok(self.0.runs_as()?)
    }

    /// Tells what lies at absolute paths, links followed inside the image; what does not exist is left out.
    ///
    /// Paths that are asked together cost one question.
    pub fn look_at<P: Into<String>>(&self, paths: impl IntoIterator<Item = P>) -> Result<Vec<PathFact>, Problem> {
        let paths: Vec<String> = paths.into_iter().map(Into::into).collect();
        Ok(self.0.look_at(&paths)?)
    }

    /// Reads a file of at most 1 MiB; `None` where there is none.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.0.read(path)?)
    }

    /// Tells whether there is a regular file at a path that the image's user may execute.
    pub fn has_executable(&self, path: &str) -> Result<bool, Problem> {
        let Some(fact) = self.look_at([path])?.into_iter().next() else { return Ok(false) };
        Ok(contract::judge(self, &fact)? == Fitness::Fit)
    }
}

/// Tells whether a user may execute what lies at a path, by its permission bits.
///
/// Some engines do not tell owners and say 0 for both: a bit of the owner's or the group's is then believed, and who is wrong
/// learns it when the script is run.
///
/// ```
/// use sti_plugin::{Identity, PathFact, PathKind, may_execute};
///
/// let script = PathFact { path: "/usr/bin/run".into(), kind: PathKind::File, mode: 0o750, uid: 7, gid: 8, size: 1 };
/// let user = |uid, gid| Identity { uid, gid, written: String::new(), home: None };
/// assert!(may_execute(&script, &user(7, 7)));
/// assert!(may_execute(&script, &user(9, 8)));
/// assert!(!may_execute(&script, &user(9, 9)));
/// ```
pub fn may_execute(fact: &PathFact, user: &Identity) -> bool {
    let owner_untold = fact.uid == 0 && fact.gid == 0;
    let bit = if user.uid == 0 || owner_untold {
        0o111
    } else if user.uid == fact.uid {
        0o100
    } else if user.gid == fact.gid {
        0o010
    } else {
        0o001
    };
    fact.mode & bit != 0
}
