//! The interface `images`: questions about images, passed on to whoever judges and answers them.

use std::sync::Arc;

use sti_bindings::{handles::Image, host::sti::host::images as wit};
use sti_core::{Identity, ImageFacts, PathFact, PathKind, Problem, ProblemKind};
use sti_engine::Questions;
use wasmtime::component::Resource;

use super::{
    State,
    words::{problem_to_wit, value_of, variables_to_wit},
};
use crate::calls::Exceeded;

type Answer<T> = wasmtime::Result<Result<T, wit::Problem>>;

/// The largest file of an image that is read.
const MOST_BYTES: u64 = 1 << 20;
/// How many different images one call may find.
const MOST_IMAGES: usize = 1_000;
/// How many questions one call may ask.
const MOST_QUESTIONS: usize = 2_000;

impl State {
    fn facts(&self, image: &Resource<Image>) -> wasmtime::Result<&ImageFacts> {
        let Image(place) = *self.handles.get(image)?;
        self.images.get(place).ok_or_else(|| wasmtime::format_err!("a handle leads to no image"))
    }

    pub(super) fn image_of(&self, image: &Resource<Image>) -> wasmtime::Result<ImageFacts> {
        self.facts(image).cloned()
    }

    /// Gives out a handle; an image that was found before keeps its place.
    pub(super) fn hand_out(&mut self, facts: ImageFacts) -> wasmtime::Result<Resource<Image>> {
        let place = match self.images.iter().position(|known| *known == facts) {
            Some(place) => place,
            None if self.images.len() >= MOST_IMAGES => {
                return Err(Exceeded::number("it looks at too many images", MOST_IMAGES).into());
            }
            None => {
                self.images.push(facts);
                self.images.len() - 1
            }
        };
        Ok(self.handles.push(Image(place))?)
    }

    /// Whom to ask. The time of an answer is not the guest's, so the number of questions is limited instead.
    fn asked(&mut self, questions: usize) -> wasmtime::Result<Result<Arc<dyn Questions>, wit::Problem>> {
        self.asked = self.asked.saturating_add(questions);
        if self.asked > MOST_QUESTIONS {
            return Err(Exceeded::number("it asks too many questions about images", MOST_QUESTIONS).into());
        }
        let refused = || Problem::new(ProblemKind::Denied, "not-granted", "a plugin that introduces itself may look at nothing");
        Ok(self.questions.clone().ok_or_else(|| problem_to_wit(refused())))
    }
}

impl wit::Host for State {
    async fn find(&mut self, reference: String, pull: wit::Pull) -> Answer<Option<Resource<Image>>> {
        let questions = match self.asked(1)? {
            Ok(questions) => questions,
            Err(problem) => return Ok(Err(problem)),
        };
        let found = {
            let _paused = self.clock.pause();
            questions.find(&reference, matches!(pull, wit::Pull::AsAsked)).await
        };
        match found {
            Ok(Some(facts)) => Ok(Ok(Some(self.hand_out(facts)?))),
            Ok(None) => Ok(Ok(None)),
            Err(problem) => Ok(Err(problem_to_wit(problem))),
        }
    }
}

impl wit::HostImage for State {
    fn reference(&mut self, image: Resource<Image>) -> wasmtime::Result<String> {
        Ok(self.facts(&image)?.reference.written().to_owned())
    }

    fn digest(&mut self, image: Resource<Image>) -> wasmtime::Result<String> {
        Ok(self.facts(&image)?.id.as_str().to_owned())
    }

    fn platform(&mut self, image: Resource<Image>) -> wasmtime::Result<String> {
        Ok(self.facts(&image)?.platform.clone())
    }

    fn entrypoint(&mut self, image: Resource<Image>) -> wasmtime::Result<Vec<String>> {
        Ok(self.facts(&image)?.entrypoint.clone())
    }

    fn command(&mut self, image: Resource<Image>) -> wasmtime::Result<Vec<String>> {
        Ok(self.facts(&image)?.command.clone())
    }

    fn user(&mut self, image: Resource<Image>) -> wasmtime::Result<String> {
        Ok(self.facts(&image)?.user.clone())
    }

    fn working_directory(&mut self, image: Resource<Image>) -> wasmtime::Result<String> {
        Ok(self.facts(&image)?.working_directory.clone())
    }

    fn environment(&mut self, image: Resource<Image>) -> wasmtime::Result<Vec<wit::Variable>> {
        Ok(variables_to_wit(&self.facts(&image)?.environment))
    }

    fn labels(&mut self, image: Resource<Image>) -> wasmtime::Result<Vec<wit::Variable>> {
        Ok(variables_to_wit(&self.facts(&image)?.labels))
    }

    fn label(&mut self, image: Resource<Image>, name: String) -> wasmtime::Result<Option<String>> {
        Ok(value_of(&self.facts(&image)?.labels, &name))
    }

    fn exposed_ports(&mut self, image: Resource<Image>) -> wasmtime::Result<Vec<String>> {
        Ok(self.facts(&image)?.exposed_ports.clone())
    }

    fn volumes(&mut self, image: Resource<Image>) -> wasmtime::Result<Vec<String>> {
        Ok(self.facts(&image)?.volumes.clone())
    }

    fn triggers(&mut self, image: Resource<Image>) -> wasmtime::Result<Vec<String>> {
        Ok(self.facts(&image)?.triggers.clone())
    }

    async fn runs_as(&mut self, image: Resource<Image>) -> Answer<wit::Identity> {
        let facts = self.image_of(&image)?;
        let questions = match self.asked(1)? {
            Ok(questions) => questions,
            Err(problem) => return Ok(Err(problem)),
        };
        let _paused = self.clock.pause();
        Ok(questions.identity(&facts).await.map(identity_to_wit).map_err(problem_to_wit))
    }

    async fn look_at(&mut self, image: Resource<Image>, paths: Vec<String>) -> Answer<Vec<wit::PathFact>> {
        let facts = self.image_of(&image)?;
        // Each path is a question of its own: an engine may have to be asked about each.
        let questions = match self.asked(paths.len().max(1))? {
            Ok(questions) => questions,
            Err(problem) => return Ok(Err(problem)),
        };
        let _paused = self.clock.pause();
        let found = questions.look_at(&facts, &paths).await;
        Ok(found.map(|found| found.into_iter().map(path_fact_to_wit).collect()).map_err(problem_to_wit))
    }

    async fn read(&mut self, image: Resource<Image>, path: String) -> Answer<Option<Vec<u8>>> {
        let facts = self.image_of(&image)?;
        let questions = match self.asked(1)? {
            Ok(questions) => questions,
            Err(problem) => return Ok(Err(problem)),
        };
        let _paused = self.clock.pause();
        Ok(questions.read(&facts, &path, MOST_BYTES).await.map_err(problem_to_wit))
    }

    fn drop(&mut self, image: Resource<Image>) -> wasmtime::Result<()> {
        self.handles.delete(image)?;
        Ok(())
    }
}

fn identity_to_wit(identity: Identity) -> wit::Identity {
    wit::Identity { uid: identity.uid, gid: identity.gid, written: identity.written, home: identity.home }
}

fn path_fact_to_wit(fact: PathFact) -> wit::PathFact {
    let kind = match fact.kind {
        PathKind::File => wit::PathKind::File,
        PathKind::Directory => wit::PathKind::Directory,
        PathKind::Symlink => wit::PathKind::Symlink,
        PathKind::Other => wit::PathKind::Other,
    };
    wit::PathFact { path: fact.path, kind, mode: fact.mode, uid: fact.uid, gid: fact.gid, size: fact.size }
}

#[cfg(test)]
mod tests {
    use sti_core::{ImageId, Reference};

    use super::*;
    use crate::{Card, Limits, output::Output};

    struct Nothing;

    #[async_trait::async_trait]
    impl Questions for Nothing {
        async fn find(&self, _: &str, _: bool) -> Result<Option<ImageFacts>, Problem> {
            Ok(None)
        }

        async fn look_at(&self, _: &ImageFacts, _: &[String]) -> Result<Vec<PathFact>, Problem> {
            Ok(Vec::new())
        }

        async fn read(&self, _: &ImageFacts, _: &str, _: u64) -> Result<Option<Vec<u8>>, Problem> {
            Ok(None)
        }

        async fn identity(&self, _: &ImageFacts) -> Result<Identity, Problem> {
            Ok(Identity { uid: 0, gid: 0, written: String::new(), home: None })
        }
    }

    fn facts() -> ImageFacts {
        ImageFacts {
            reference: Reference::parse("builder:1").unwrap(),
            id: ImageId("sha256:0".to_owned()),
            platform: "linux/amd64".to_owned(),
            entrypoint: Vec::new(),
            command: Vec::new(),
            user: String::new(),
            working_directory: String::new(),
            environment: Vec::new(),
            labels: Vec::new(),
            exposed_ports: Vec::new(),
            volumes: Vec::new(),
            triggers: Vec::new(),
        }
    }

    /// Asks several questions about so many paths each, and tells which were answered.
    async fn look_at(questions: &[usize]) -> Vec<bool> {
        let state = State::introduction(&Limits::default(), "test", &Output::default(), Card::default());
        let mut state = State { questions: Some(Arc::new(Nothing)), ..state };
        let image = state.hand_out(facts()).unwrap().rep();
        let mut answered = Vec::new();
        for paths in questions {
            let paths = vec!["/a".to_owned(); *paths];
            let answer = wit::HostImage::look_at(&mut state, Resource::new_borrow(image), paths).await;
            answered.push(answer.is_ok());
        }
        answered
    }

    #[tokio::test]
    async fn counts_each_path_of_a_question() {
        assert_eq!(look_at(&[MOST_QUESTIONS, 1]).await, [true, false]);
        assert_eq!(look_at(&[MOST_QUESTIONS - 1, 0, 0]).await, [true, true, false]);
        assert_eq!(look_at(&[100_000]).await, [false]);
    }
}
