//! Narrowing is monotone: what a narrower policy approves, a wider one does not refuse.

use std::fmt::Write;
use std::path::Path;

use proptest::prelude::*;
use sti_core::Plan;
use sti_core::plan::*;
use sti_policy::{Named, Policy, Whose};

use crate::support::*;

const PATTERNS: [&str; 5] =
    ["docker.io/library/*", "docker.io/library/builder", "docker.io/**", "registry.corp/builders/*:3", "registry.corp/*"];
const IMAGES: [&str; 6] = ["builder", "rooted", "registry.corp/builders/python:3", "app:1", "app:1-build", "node"];
const USERS: [&str; 5] = ["", "0", "1001", "app", "1002:0"];

/// How much a file narrows. Larger numbers are narrower; the patterns are those that are left.
#[derive(Clone, Debug)]
struct Narrowing {
    /// `None` narrows nothing.
    patterns: Option<Vec<bool>>,
    root: bool,
    network: bool,
    vetted_only: bool,
}

impl Narrowing {
    fn policy(&self) -> Policy {
        let mut text = String::new();
        if self.vetted_only {
            text.push_str("vetted-only = true\n");
        }
        text.push_str("[defaults]\n");
        if let Some(kept) = &self.patterns {
            let kept: Vec<String> =
                PATTERNS.iter().zip(kept).filter(|(_, kept)| **kept).map(|(pattern, _)| format!("\"{pattern}\"")).collect();
            let _ = writeln!(text, "images = [{}]", kept.join(", "));
        }
        if self.root {
            text.push_str("root = false\n");
        }
        if self.network {
            text.push_str("network = \"none\"\n");
        }
        Policy::parse(&text, Path::new("policy.toml"), Whose::User).expect("it is a policy")
    }

    /// Narrows by both.
    fn and(&self, other: &Self) -> Self {
        let patterns = match (&self.patterns, &other.patterns) {
            (Some(ours), Some(others)) => Some(ours.iter().zip(others).map(|(one, other)| *one && *other).collect()),
            (ours, others) => ours.clone().or_else(|| others.clone()),
        };
        Self {
            patterns,
            root: self.root || other.root,
            network: self.network || other.network,
            vetted_only: self.vetted_only || other.vetted_only,
        }
    }
}

prop_compose! {
    fn narrowings()(
        patterns in prop::option::of(prop::collection::vec(prop::bool::weighted(0.7), PATTERNS.len())),
        root in prop::bool::weighted(0.3),
        network in prop::bool::weighted(0.3),
        vetted_only in prop::bool::weighted(0.1),
    ) -> Narrowing {
        Narrowing { patterns, root, network, vetted_only }
    }
}

prop_compose! {
    fn plans()(
        image in prop::sample::select(IMAGES.as_slice()),
        images_user in prop::sample::select(USERS.as_slice()),
        user in prop::option::weighted(0.3, prop::sample::select(USERS.as_slice())),
        changed in prop::option::weighted(0.3, prop::sample::select(USERS.as_slice())),
        outgoing in prop::bool::ANY,
    ) -> Plan {
        let mut plan = plan();
        plan.steps[0] = run(image_of(image, images_user));
        run_of(&mut plan).user = user.map(str::to_owned);
        run_of(&mut plan).network = if outgoing { Network::Outgoing } else { Network::None };
        changes_of(&mut plan).user = changed.map(str::to_owned);
        plan
    }
}

fn approves(policy: &Policy, plan: &Plan, named: &Named) -> bool {
    policy.approve(plan.clone(), &plugin(), named).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_narrower_policy_approves_a_wider_one_does_too(wide in narrowings(), more in narrowings(), plan in plans()) {
        let narrow = wide.and(&more);
        if approves(&narrow.policy(), &plan, &named()) {
            prop_assert!(approves(&wide.policy(), &plan, &named()), "{narrow:?} approves and {wide:?} does not");
            prop_assert!(approves(&Policy::none(), &plan, &named()), "a file widens what the user named");
        }
    }

    #[test]
    fn what_a_narrower_command_line_grants_a_wider_one_does_too(policy in narrowings(), left in prop::bool::ANY, plan in plans()) {
        let mut narrow = named();
        narrow.images.truncate(if left { 2 } else { 1 });
        narrow.network = if left { Network::Outgoing } else { Network::None };
        if approves(&policy.policy(), &plan, &narrow) {
            prop_assert!(approves(&policy.policy(), &plan, &named()));
        }
    }
}
