//! What is built with which images, and what the product must show.

use anyhow::{Result, ensure};

/// Who is greeted by the products: a variable of the build that stays in them.
pub(super) const WHOM: &str = "everybody";

/// An application and its images.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// The builder image, and the runtime image of an extended build: folders of `tests/real`.
    pub(super) images: &'static [&'static str],
    /// The folder of `tests/real` that has the source.
    pub(super) source: &'static str,
    /// What else `sti build` is told.
    pub(super) flags: &'static [&'static str],
    /// How the product shows itself.
    pub(super) shows: Shows,
    /// What, where `UID` stands for the user that it runs as.
    pub(super) text: &'static str,
    /// What assemble says when it finds something of the previous build, and never else. Images without save-artifacts have none.
    pub(super) reused: Option<&'static str>,
}

/// How a product shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// By the page that it serves on port 8080.
    Page,
    /// By what it prints before it ends.
    Output,
}

/// All of them, the most used first.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "python",
        images: &["python"],
        source: "python",
        flags: &[],
        shows: Shows::Page,
        text: "a python application: The harbour greets everybody, uid UID\n",
        reused: Some("Requirement already satisfied: harbour"),
    },
    Case {
        name: "nodejs",
        images: &["nodejs"],
        source: "nodejs",
        flags: &[],
        shows: Shows::Page,
        text: "a nodejs application: The harbour greets everybody, uid UID\n",
        reused: Some("up to date"),
    },
    Case {
        name: "c",
        images: &["c"],
        source: "c",
        flags: &[],
        shows: Shows::Output,
        text: "a program in c: The harbour greets everybody, uid UID\n",
        reused: Some("is up to date"),
    },
    Case {
        name: "nginx",
        images: &["nginx"],
        source: "nginx",
        flags: &[],
        shows: Shows::Page,
        text: "static files: The harbour greets everybody\n",
        reused: None,
    },
    Case {
        name: "extended",
        images: &["c", "c-runtime"],
        source: "c",
        flags: &["--runtime-artifact", "/opt/app-root/bin/app"],
        shows: Shows::Output,
        text: "a program in c: The harbour greets everybody, uid UID\n",
        reused: Some("is up to date"),
    },
];

/// The cases that are named, or all.
pub(super) fn chosen(names: &[&str]) -> Result<Vec<&'static Case>> {
    let unknown = names.iter().find(|name| CASES.iter().all(|case| case.name != **name));
    ensure!(unknown.is_none(), "no such case; there are: {}", CASES.iter().map(|case| case.name).collect::<Vec<_>>().join(", "));
    Ok(CASES.iter().filter(|case| names.is_empty() || names.contains(&case.name)).collect())
}
