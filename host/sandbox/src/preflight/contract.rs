//! The contract as preflight needs it: which functions there are, and which kind may ever call them. A test holds this table against
//! the WIT.

use crate::Kind;

/// The package that plugins import.
pub(super) const HOST: &str = "sti:host";
/// The package that plugins export.
pub(super) const PLUGIN: &str = "sti:plugin";
/// The version of both that this program serves.
pub(super) const SERVED: &str = "0.1.0";

/// Who may ever call a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    /// Everyone.
    All,
    /// Strategies: the plan.
    Plan,
    /// Fetchers: a tree to fill, bytes, and the network.
    Fetch,
}

impl Power {
    pub(super) fn suits(self, kind: Kind) -> bool {
        match self {
            Self::All => true,
            Self::Plan => kind == Kind::Strategy,
            Self::Fetch => kind == Kind::Fetcher,
        }
    }
}

/// An interface of `sti:host`.
pub(super) struct Interface {
    pub(super) name: &'static str,
    functions: &'static [(Power, &'static [&'static str])],
}

impl Interface {
    pub(super) fn power(&self, function: &str) -> Option<Power> {
        self.functions.iter().find(|(_, functions)| functions.contains(&function)).map(|(power, _)| *power)
    }
}

pub(super) fn interface(import: &str) -> Option<&'static Interface> {
    let (name, _) = import.strip_prefix(HOST)?.strip_prefix('/')?.split_once('@')?;
    INTERFACES.iter().find(|interface| interface.name == name)
}

/// The names of all interfaces, with their package.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

/// What every guest's standard library imports, and a little more: all of it is linked, and all of it is empty.
pub(super) fn is_inert_wasi(name: &str, version: &str) -> bool {
    version.starts_with("0.2.")
        && INERT_WASI.iter().any(|package| name.strip_prefix(package).is_some_and(|rest| rest.starts_with('/')))
}

const INERT_WASI: [&str; 6] = ["wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem", "wasi:sockets"];

const NAMES: [&str; 9] = [
    "sti:host/types",
    "sti:host/log",
    "sti:host/images",
    "sti:host/trees",
    "sti:host/plans",
    "sti:host/requests",
    "sti:host/blobs",
    "sti:host/http",
    "sti:host/repositories",
];

const INTERFACES: [Interface; 9] = [
    Interface { name: "types", functions: &[] },
    Interface { name: "log", functions: &[(Power::All, &["message", "progress"])] },
    Interface {
        name: "images",
        functions: &[(
            Power::All,
            &[
                "find",
                "[method]image.reference",
                "[method]image.digest",
                "[method]image.platform",
                "[method]image.entrypoint",
                "[method]image.command",
                "[method]image.user",
                "[method]image.working-directory",
                "[method]image.environment",
                "[method]image.labels",
                "[method]image.label",
                "[method]image.exposed-ports",
                "[method]image.volumes",
                "[method]image.triggers",
                "[method]image.runs-as",
                "[method]image.look-at",
                "[method]image.read",
            ],
        )],
    },
    Interface {
        name: "trees",
        functions: &[
            (
                Power::All,
                &[
                    "[method]tree.entries",
                    "[method]tree.look-at",
                    "[method]tree.read",
                    "[method]tree.link-target",
                    "[method]tree.find",
                ],
            ),
            (
                Power::Fetch,
                &[
                    "[method]tree-writer.reuse",
                    "[method]tree-writer.put-directory",
                    "[method]tree-writer.put-file",
                    "[method]tree-writer.open-file",
                    "[method]tree-writer.put-symlink",
                    "[method]tree-writer.put-hardlink",
                    "[method]tree-writer.expect",
                    "[method]tree-writer.remove",
                    "[method]tree-writer.set-top",
                    "[method]file-writer.write",
                    "[method]file-writer.finish",
                ],
            ),
        ],
    },
    Interface {
        name: "plans",
        functions: &[(
            Power::Plan,
            &[
                "[method]content.part",
                "[method]content.matching",
                "[method]plan.source",
                "[method]plan.empty",
                "[method]plan.files",
                "[method]plan.cache",
                "[method]plan.secret",
                "[method]plan.run",
                "[method]plan.build",
                "[method]plan.assemble",
                "[method]plan.product",
                "[method]run.command",
                "[method]run.environment",
                "[method]run.user",
                "[method]run.working-directory",
                "[method]run.network",
                "[method]run.transient",
                "[method]run.tolerate-failure",
                "[method]run.labels-from",
                "[method]run.place",
                "[method]run.capture",
                "[method]run.capture-output",
                "[method]run.commit",
                "[method]build.carry-out-triggers",
                "[method]build.copy",
                "[method]build.run",
                "[method]build.environment",
                "[method]build.user",
                "[method]build.working-directory",
                "[method]build.network",
                "[method]build.finish",
                "[method]assembly.layer",
                "[method]assembly.finish",
                "[method]made.entrypoint",
                "[method]made.command",
                "[method]made.environment",
                "[method]made.label",
                "[method]made.user",
                "[method]made.working-directory",
                "[method]made.expose",
                "[method]made.files-at",
            ],
        )],
    },
    Interface {
        name: "requests",
        functions: &[(
            Power::All,
            &[
                "[method]job.strategy",
                "[method]job.source",
                "[method]job.source-fact",
                "[method]job.builder-image",
                "[method]job.runtime-image",
                "[method]job.tag",
                "[method]job.clean",
                "[method]job.network",
                "[method]job.previous-image",
                "[method]job.incremental",
                "[method]job.scripts-url",
                "[method]job.destination",
                "[method]job.assemble-user",
                "[method]job.assemble-runtime-user",
                "[method]job.runtime-artifacts",
                "[method]job.allows-triggers",
                "[method]job.script",
                "[method]job.contract",
                "[method]job.environment",
                "[method]job.build-environment",
                "[method]job.secrets",
                "[method]job.injected",
                "[method]job.setting",
                "[method]job.platform",
                "[method]address.text",
                "[method]address.reference",
                "[method]address.subdirectory",
                "[method]address.setting",
                "[method]address.file",
                "[method]address.record-fact",
                "[method]address.kept",
                "[method]address.keep",
                "[method]subject.moment",
                "[method]subject.role",
                "[method]subject.image",
                "[method]subject.source",
                "[method]subject.steps",
                "[method]subject.incremental",
                "[method]subject.extended",
                "[method]subject.contract",
                "[method]subject.setting",
                "[method]step.title",
                "[method]step.kind",
                "[method]step.image",
                "[method]step.commands",
                "[method]step.user",
                "[method]step.network",
                "[method]findings.add",
                "[method]card.name",
                "[method]card.alias",
                "[method]card.version",
                "[method]card.summary",
                "[method]card.homepage",
                "[method]card.setting",
                "[method]card.serves-scheme",
                "[method]card.serves-suffix",
                "[method]card.judges",
            ],
        )],
    },
    Interface {
        name: "blobs",
        functions: &[(
            Power::Fetch,
            &[
                "[method]blob.size",
                "[method]blob.read",
                "[method]blob.identity",
                "[method]spool.write",
                "[method]spool.finish",
                "new-spool",
            ],
        )],
    },
    Interface {
        name: "http",
        functions: &[(
            Power::Fetch,
            &[
                "[method]response.status",
                "[method]response.url",
                "[method]response.header",
                "[method]response.read",
                "send",
                "download",
            ],
        )],
    },
    Interface {
        name: "repositories",
        functions: &[(
            Power::Fetch,
            &["[method]connection.read", "[method]connection.write", "[method]connection.finish", "connect"],
        )],
    },
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use wit_parser::Resolve;

    use super::{HOST, INTERFACES, NAMES, SERVED};

    type Functions = BTreeSet<(String, String)>;

    /// Every function of `sti:host`, as the WIT has it.
    fn written() -> (String, Functions) {
        let mut resolve = Resolve::default();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/sti-host");
        let (package, _) = resolve.push_path(folder).unwrap_or_else(|error| panic!("{error:#}"));
        let package = &resolve.packages[package];
        let interfaces = package.interfaces.iter().map(|(name, interface)| (name, &resolve.interfaces[*interface]));
        let functions = interfaces
            .flat_map(|(name, interface)| interface.functions.keys().map(move |function| (name.clone(), function.clone())));
        (package.name.to_string(), functions.collect())
    }

    #[test]
    fn knows_exactly_the_functions_of_the_contract() {
        let (package, written) = written();
        assert_eq!(package, format!("{HOST}@{SERVED}"));
        let known: Functions = INTERFACES
            .iter()
            .flat_map(|interface| interface.functions.iter().map(move |(_, functions)| (interface.name, functions)))
            .flat_map(|(name, functions)| functions.iter().map(move |function| (name.to_owned(), (*function).to_owned())))
            .collect();
        assert_eq!(known, written);
    }

    #[test]
    fn names_every_interface_in_full() {
        let names: Vec<_> = INTERFACES.iter().map(|interface| format!("{HOST}/{}", interface.name)).collect();
        let mut known = NAMES.to_vec();
        known.sort_unstable();
        let mut names: Vec<_> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(known, names);
    }
}
