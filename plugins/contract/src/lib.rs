//! The validator `contract`: tells whether an image can take part in a build by the prepare contract.
//!
//! It looks at the images before anything is planned, and says everything that is wrong with each:
//!
//! | code | severity | what is the case |
//! |---|---|---|
//! | `assemble-not-supported` | failure | the image follows the assemble contract (found by its labels, then its files) |
//! | `prepare-missing`, `run-missing`, `save-artifacts-missing` | failure | there is no such script |
//! | `…-not-a-file` | failure | there is something else, such as a directory |
//! | `…-not-executable` | failure | the image's user may not execute it |
//! | `entrypoint-swallows-command` | warning | the product's entrypoint will be given the run script |
//! | `triggers-not-run` | warning | the image has `ONBUILD` instructions, which are no part of the contract |
//!
//! `save-artifacts` is asked of a builder in an incremental build only. An entrypoint is a warning and no failure: many entrypoints
//! end by executing the command that they are given, and the build itself runs past them; only the author of the image can know.

use sti_plugin::{
    Card, Finding, Findings, Image, Moment, Problem, Subject, Validator,
    contract::{ASSEMBLE, Fitness, PREPARE, assemble_not_supported, examine},
    register_validator,
};

/// The role of the image that source is built in.
const BUILDER: &str = "builder";

/// Judges images by the prepare contract.
pub struct Contract;

register_validator!(Contract);

impl Validator for Contract {
    fn card() -> Card {
        Card::new("contract", env!("CARGO_PKG_VERSION"))
            .summary("checks that an image has the scripts that a build runs, and that its user may run them")
            .judges(Moment::Image)
    }

    fn validate(subject: &Subject, findings: &Findings) -> Result<(), Problem> {
        let Some(image) = subject.image() else { return Ok(()) };
        if follows_assemble(subject, &image)? {
            findings.add(assemble_not_supported(&image.reference()));
            // What the other contract wants is of no use to who reads this.
            return Ok(());
        }
        for script in examine(&image, scripts(subject))? {
            if let Some(problem) = script.problem(&image) {
                findings.add(problem);
            }
        }
        entrypoint(&image).into_iter().chain(triggers(&image)).for_each(|finding| findings.add(finding));
        Ok(())
    }
}

/// Lists what must be there.
fn scripts(subject: &Subject) -> Vec<String> {
    let mut scripts = vec![PREPARE.build_script(), PREPARE.run_script()];
    if subject.is_incremental() && subject.role() == BUILDER {
        scripts.push(PREPARE.save_artifacts_script());
    }
    scripts
}

/// Tells which contract it is: what the user forces, else what the labels say, else what the files say.
fn follows_assemble(subject: &Subject, image: &Image) -> Result<bool, Problem> {
    if let Some(forced) = subject.contract() {
        return Ok(forced == ASSEMBLE.name);
    }
    if ASSEMBLE.announced_by(image).is_some() {
        return Ok(true);
    }
    let lacks_prepare = examine(image, [PREPARE.build_script()])?.iter().any(|script| script.fitness == Fitness::Missing);
    Ok(lacks_prepare && ASSEMBLE.is_followed_by(image)?)
}

fn entrypoint(image: &Image) -> Option<Finding> {
    let entrypoint = image.entrypoint();
    let program = entrypoint.first()?;
    let (reference, words, run) = (image.reference(), entrypoint.join(" "), PREPARE.run_script());
    let message =
        format!("`{reference}` has the entrypoint `{words}`, which would be given `{run}` instead of the product being it");
    Some(
        Finding::warning("entrypoint-swallows-command", message).hint(format!(
            "leave it if `{program}` executes its arguments in the end; else reset it in the image: ENTRYPOINT []"
        )),
    )
}

fn triggers(image: &Image) -> Option<Finding> {
    let triggers = image.triggers();
    let first = triggers.first()?;
    let message = format!(
        "`{}` has ONBUILD instructions, such as `{first}`, which a build by this contract does not count on",
        image.reference()
    );
    Some(Finding::warning("triggers-not-run", message).hint("do their work in /usr/bin/prepare, and take them out of the image"))
}
