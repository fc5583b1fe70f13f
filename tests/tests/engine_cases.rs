//! The cases that every engine must pass, on a real Docker and on a real Podman; and what only a real engine can show.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stands at the edge of the house, and ends at the first thing that is not as it should be"
)]

mod engine_cases {
    pub(crate) mod bench;
    pub(crate) mod interrupted;
    pub(crate) mod podman;
}

use std::time::Duration;

use engine_cases::{bench::LabBench, interrupted, podman::Podman};
use sti_engine::cases::{CASES, Limit};
use sti_tests::{Lab, cannot_be_had, needs_engine};
use tokio::runtime::Runtime;

/// A case that takes longer hangs.
const LIMIT: Duration = Duration::from_mins(2);

/// Podman answers "not there" about a link that leads nowhere, and its commits keep `PATH`, `TERM` and `container` of its containers; its
/// API has no word against either. Nor has it one against the names of other variables of a container.
const LIMITS_OF_PODMAN: &[Limit] = &[Limit::SeesNoDanglingLink, Limit::CommitsVariablesOfItsOwn, Limit::CommitsNamesOfVariables];

#[test]
fn docker_does_what_every_engine_must_do() {
    needs_engine!();
    check_all(LabBench::new(Lab::new(), &[]));
}

#[test]
fn podman_does_what_every_engine_must_do() {
    let podman = match Podman::start() {
        Ok(podman) => podman,
        Err(why) => return cannot_be_had(&why),
    };
    check_all(LabBench::new(Lab::on(podman.engine().clone()), LIMITS_OF_PODMAN));
}

#[test]
fn work_that_is_broken_off_leaves_nothing() {
    needs_engine!();
    Runtime::new().unwrap().block_on(async {
        let bench = LabBench::new(Lab::new(), &[]);
        for moment in interrupted::MOMENTS {
            interrupted::break_off(&bench, *moment).await;
        }
        bench.close().await;
    });
}

fn check_all(bench: LabBench) {
    Runtime::new().unwrap().block_on(async {
        let failed = failures(&bench).await;
        bench.close().await;
        assert!(failed.is_empty(), "{} of {} cases failed:\n{}", failed.len(), CASES.len(), failed.join("\n"));
    });
}

/// All cases that failed, with what was seen, one a line.
async fn failures(bench: &LabBench) -> Vec<String> {
    let mut failed = Vec::new();
    for case in CASES {
        match tokio::time::timeout(LIMIT, (case.run)(bench)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => failed.push(format!("{}: {failure}", case.name)),
            Err(_) => failed.push(format!("{}: it hangs", case.name)),
        }
    }
    failed
}
