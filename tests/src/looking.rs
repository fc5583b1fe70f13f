//! What tests of behaviour do most: build with names of the lab, and look at what came out.

use serde_json::Value;

use crate::{Lab, Outcome};

impl Lab {
    /// Runs `sti build SOURCE BUILDER NAME` with further arguments; the name is one of the lab's.
    #[track_caller]
    pub fn build(&self, source: &str, builder: &str, name: &str, further: &[&str]) -> Outcome {
        let tag = self.tag(name);
        self.sti([&["build", source, builder, &tag], further].concat())
    }

    /// The configuration of an image, as the engine shows it.
    #[track_caller]
    pub fn config(&self, name: &str) -> Value {
        self.inspect(name).unwrap_or_else(|| panic!("no image {name}"))["Config"].take()
    }

    /// How many layers an image has.
    #[track_caller]
    pub fn layers(&self, name: &str) -> usize {
        let image = self.inspect(name).unwrap_or_else(|| panic!("no image {name}"));
        image["RootFS"]["Layers"].as_array().map_or(0, Vec::len)
    }

    /// What lies in a directory of an image, as the fixture lists it: kind, mode, owner, size or link target, name; a line each.
    #[track_caller]
    pub fn listed(&self, name: &str, directory: &str) -> String {
        let ended = self.run_verbs(name, &format!("list {directory} -"));
        assert_eq!(ended.code, 0, "list {directory} of {name}: {ended:?}");
        ended.output.stdout
    }

    /// Every tag and id that the engine holds, sorted, to be compared with what it holds later.
    pub fn names_and_ids(&self) -> Vec<String> {
        let images = self.engine().get("/images/json").expect("an engine that answers");
        let of_lab = |tag: &&str| tag.contains(&self.tag("")[..self.tag("").len() - ":1".len()]);
        let named = |image: &Value| -> Vec<String> {
            let tags = image["RepoTags"].as_array().into_iter().flatten().filter_map(Value::as_str);
            tags.filter(of_lab).map(|tag| format!("{tag} {}", image["Id"])).collect()
        };
        let mut all: Vec<String> = images.as_array().into_iter().flatten().flat_map(named).collect();
        all.sort();
        all
    }
}
