//! What every engine must do, as a list of cases: the one in memory and the real ones carry out the same.
//!
//! A case needs a [`Bench`]: an engine, a few images to begin with, names that nobody else uses. What the cases run is one
//! program, `/usr/bin/fixture VERB ARGUMENTS… [then VERB ARGUMENTS…]`, which is `tests/fixture` in a real image.

mod building;
mod detours;
mod ending;
mod handing_over;
mod running;
mod running_images;
mod secrets;
mod sources;
mod stage;
mod transient;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use cap_std::fs::Dir;
use futures_util::future::BoxFuture;
use sti_core::{ImageFacts, Reference};

use crate::Engine;

/// Where cases are tried.
#[async_trait]
pub trait Bench: Send + Sync {
    /// An engine for a build of its own; all of them work on the same images.
    fn engine(&self) -> Arc<dyn Engine>;

    /// The image that a case begins with, running as this user.
    ///
    /// It holds `/usr/bin/fixture`, `/tmp` for everybody, `/app` of its user, the user [`User::Named`] in `/etc/passwd` and
    /// `/etc/group`, and says of itself what [`INSTRUCTIONS`] say.
    async fn builder(&self, user: User) -> ImageFacts;

    /// A name for what a case makes. The bench removes it, and its siblings, when all is done.
    fn tag(&self, case: &str) -> Reference;

    /// An empty directory on the side of the host, removed by the bench when all is done.
    fn directory(&self) -> Dir;

    /// Whether the engine is known to be unable to do better, for a reason that the bench states.
    fn is_limited(&self, _limit: Limit) -> bool {
        false
    }
}

/// What an engine may be unable to do; everything else is asked of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A link that leads nowhere looks as if nothing were there.
    SeesNoDanglingLink,
    /// A commit adds variables that the engine gives to all its containers.
    CommitsVariablesOfItsOwn,
    /// A commit keeps the names of variables that the container was given, though not their values.
    CommitsNamesOfVariables,
}

/// Whom an image runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// Nobody is named.
    Root,
    /// Numbers that no file of the image explains.
    Numeric,
    /// A name of the image's own `/etc/passwd`.
    Named,
}

impl User {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Root, Self::Numeric, Self::Named];

    /// As the image's configuration has it.
    pub fn written(self) -> &'static str {
        match self {
            Self::Root => "",
            Self::Numeric => "431:433",
            Self::Named => "app",
        }
    }

    /// The user and the group.
    pub fn ids(self) -> (u32, u32) {
        match self {
            Self::Root => (0, 0),
            Self::Numeric => (431, 433),
            Self::Named => (1001, 1002),
        }
    }
}

/// What the images of [`Bench::builder`] say of themselves, as lines of a Dockerfile.
pub const INSTRUCTIONS: [&str; 5] = [
    "ENV STAYS=yes",
    "LABEL stays=yes",
    "EXPOSE 8080/tcp",
    "WORKDIR /app",
    "CMD [\"/usr/bin/fixture\", \"print\", \"original\"]",
];

/// One thing that every engine must do.
#[derive(Clone, Copy)]
pub struct Case {
    /// What it must do, as a sentence of a test.
    pub name: &'static str,
    /// Tries it.
    pub run: for<'a> fn(&'a dyn Bench) -> BoxFuture<'a, Result<(), Failure>>,
}

/// What an engine did instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

/// Tries all cases one after the other, and answers those that failed.
pub async fn failures(bench: &dyn Bench) -> Vec<(&'static str, Failure)> {
    let mut failures = Vec::new();
    for case in CASES {
        if let Err(failure) = (case.run)(bench).await {
            failures.push((case.name, failure));
        }
    }
    failures
}

macro_rules! cases {
    ($($room:ident::$name:ident,)*) => {
        /// All cases.
        pub const CASES: &[Case] = &[$(Case { name: stringify!($name), run: |bench| Box::pin($room::$name(bench)) },)*];
    };
}

cases! {
    running::leaves_mounted_content_out_of_what_is_committed,
    running::hides_what_the_image_has_below_a_mount,
    running::keeps_copied_content,
    running::gives_content_to_the_user_of_the_image,
    running::runs_as_another_user_and_keeps_the_one_of_the_image,
    running::hands_variables_and_a_working_directory_to_the_command,
    running::tells_what_a_command_prints,
    running::takes_labels_that_the_command_left,
    running_images::runs_an_image_as_it_says_itself,
    running_images::stops_an_image_that_runs_on,
    running_images::tells_of_an_image_that_cannot_run,
    handing_over::hands_a_captured_directory_over,
    handing_over::hands_nothing_over_as_an_empty_directory,
    handing_over::tells_a_capture_of_nothing_from_a_part_that_is_not_there,
    handing_over::hands_over_what_lies_at_no_mount,
    handing_over::hands_a_captured_file_over,
    handing_over::hands_entries_over_by_their_names,
    handing_over::misses_entries_of_which_there_is_none,
    handing_over::gives_what_was_captured_to_the_next_user,
    handing_over::reads_standard_output_as_a_tar,
    handing_over::takes_empty_output_for_an_empty_directory,
    handing_over::refuses_output_that_is_no_tar,
    handing_over::hands_files_of_a_made_image_over,
    handing_over::builds_in_one_image_and_delivers_in_another,
    handing_over::joins_steps_that_do_not_depend_on_each_other,
    transient::forgets_what_is_in_a_transient_directory,
    transient::begins_a_transient_directory_as_the_image_has_it,
    transient::captures_from_a_transient_directory,
    transient::puts_output_where_it_can_be_removed,
    transient::puts_output_of_one_step_to_several_places,
    transient::goes_on_without_a_step_that_may_fail,
    transient::copies_nothing_of_a_step_that_may_fail,
    transient::puts_nothing_through_a_link_below_a_transient_directory,
    secrets::lets_a_command_read_secrets_and_keeps_nothing,
    secrets::finds_a_secret_that_a_command_kept,
    secrets::finds_a_secret_in_what_an_image_says_of_itself,
    secrets::forgets_variables_that_were_for_the_command_only,
    building::changes_what_is_asked_for_and_keeps_the_rest,
    building::carries_instructions_out_in_order,
    building::assembles_an_image_from_nothing,
    building::assembles_layers_on_a_base,
    building::starts_from_the_image_of_an_earlier_step,
    detours::puts_nothing_through_a_link_that_a_script_left,
    detours::copies_nothing_through_a_link_of_the_image,
    detours::starts_from_an_earlier_step_where_no_link_is_on_the_way,
    ending::tells_exit_code_and_last_lines_and_leaves_nothing,
    ending::refuses_a_program_that_is_not_there,
    ending::moves_a_tag_and_removes_only_what_no_name_needs,
    ending::sweeps_the_dead_and_spares_the_tagged,
    ending::cleans_up_what_was_not_tagged,
    ending::answers_about_paths_of_an_image,
    ending::finds_no_image_that_is_not_there,
    sources::brings_a_source_of_all_shapes,
    sources::brings_a_single_file,
    sources::brings_a_part_of_the_source,
    sources::names_a_special_file_of_the_source_and_runs_nothing,
}
