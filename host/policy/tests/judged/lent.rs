//! What the user lends to scripts: secrets by name, and variables that no image may keep.

use std::path::Path;

use sti_core::Variable;
use sti_core::plan::*;
use sti_policy::{Policy, Whose};

use crate::support::*;

fn policy(rules: &str) -> Policy {
    Policy::parse(&format!("[defaults]\n{rules}\n"), Path::new("policy.toml"), Whose::User).expect("it is a policy")
}

/// Judges the honest plan after a change; the refusal as it is printed.
fn judged(policy: &Policy, change: impl Fn(&mut sti_core::Plan)) -> Result<(), String> {
    let mut plan = plan();
    change(&mut plan);
    policy.approve(plan, &plugin(), &named()).map(drop).map_err(|denial| printed(&denial))
}

fn take_token(plan: &mut sti_core::Plan) {
    plan.contents.push(Content::Secret { name: "token".to_owned() });
    let place = Place { content: ContentId(1), at: "/run/secrets/token".to_owned(), placement: Placement::Mounted };
    run_of(plan).places.push(place);
}

#[test]
fn a_file_says_which_of_the_users_secrets_are_used() {
    assert_eq!(judged(&Policy::none(), take_token), Ok(()));
    assert_eq!(judged(&policy(""), take_token), Ok(()));
    assert_eq!(judged(&policy("secrets = [\"other\", \"token\"]"), take_token), Ok(()));
    let refused = judged(&policy("secrets = [\"other\"]"), take_token).unwrap_err();
    insta::assert_snapshot!(refused, @r#"
    not-granted: plugin `commit` may not use the secret `token` (content 1)
      because: policy `policy.toml` grants it of secrets `other`
      hint: to allow it, write in [defaults] of policy.toml:  secrets = ["other", "token"]
    "#);
}

#[test]
fn a_file_names_no_secret_that_the_user_has_not() {
    let take_other = |plan: &mut sti_core::Plan| plan.contents.push(Content::Secret { name: "other".to_owned() });
    let refused = judged(&policy("secrets = [\"other\"]"), take_other).unwrap_err();
    assert!(refused.contains("of secrets, the command line names `token`"), "{refused}");
}

#[test]
fn names_of_secrets_are_names() {
    for name in ["../x", "a b", "", "inject:"] {
        let text = format!("[defaults]\nsecrets = [\"{name}\"]\n");
        let error = Policy::parse(&text, Path::new("policy.toml"), Whose::User).expect_err(name);
        assert!(error.hint().is_some_and(|hint| hint.contains("inject:/opt/keys")), "{error}");
    }
    policy("secrets = [\"inject:/opt/keys\", \"npm-token\"]");
}

#[test]
fn no_image_keeps_a_variable_that_is_for_scripts_only() {
    let proxy = || Variable::new("PROXY", "http://proxy");
    assert_eq!(judged(&Policy::none(), |plan| run_of(plan).environment.push(proxy())), Ok(()));
    let changed = judged(&Policy::none(), |plan| run_of(plan).environment.push(Variable::new("PROXY", "http://evil")));
    assert!(changed.is_err_and(|refused| refused.contains("to another value than the user's")));
    let kept = judged(&Policy::none(), |plan| changes_of(plan).environment.push(proxy())).unwrap_err();
    insta::assert_snapshot!(kept, @"
    not-granted: plugin `commit` may not keep the variable `PROXY` in an image (step 1, `run prepare`)
      because: `--build-env` gives `PROXY` to scripts only
    ");
    let instructed = judged(&Policy::none(), |plan| {
        plan.steps[0] = build(image("builder"), vec![Instruction::Environment(proxy())]);
    });
    assert!(instructed.is_err_and(|refused| refused.contains("keep the variable `PROXY`")));
}
