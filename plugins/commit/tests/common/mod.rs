//! What the tests of both contracts ask alike.

use sti_commit::Commit;
use sti_plugin::testing::JobBuilder;

pub(crate) fn check_refuses(job: &JobBuilder, code: &str, words: &[&str]) {
    let decision = job.decide::<Commit>();
    let problem = decision.expect_problem();
    assert_eq!((problem.code(), problem.hinted().is_some()), (code, true), "{problem:?}");
    for word in words {
        assert!(problem.message().contains(word), "nothing of `{word}` in {problem}");
    }
    assert!(decision.plan.steps.is_empty(), "something was planned before the refusal");
}
