//! Where content goes in images that are not root's: no place that decides who is root, and none that a link could lead to.

use std::path::Path;

use crate::support::*;
use sti_core::Plan;
use sti_core::plan::*;
use sti_policy::{Policy, Whose};

const NO_ROOT: &str = "[defaults]\nroot = false\n";

/// A plan whose one step puts contents (0: the source, 1: a file of the plugin's, 2: nothing) at places, in one of four ways.
fn putting(base: &Base, places: &[(u32, &str)], way: usize) -> Plan {
    let mut plan = plan();
    let file = PlanFile { path: "passwd".to_owned(), mode: 0o644, bytes: b"app::0:0::/:/bin/sh\n".to_vec() };
    plan.contents.extend([Content::Files { files: vec![file] }, Content::Empty]);
    let copied =
        |(content, at): &(u32, &str)| Copied { content: ContentId(*content), at: (*at).to_owned(), owner: Some("7".to_owned()) };
    plan.steps[0] = match way {
        0 => build(base.clone(), places.iter().map(|place| Instruction::Copy(copied(place))).collect()),
        1 => {
            let layer = |place| Layer { title: "files".to_owned(), copied: copied(place) };
            let changes = ImageChanges { user: Some("7".to_owned()), ..ImageChanges::default() };
            let assemble = Assemble { layers: places.iter().map(layer).collect(), changes };
            Step { title: "put together".to_owned(), base: base.clone(), action: Action::Assemble(assemble) }
        }
        _ => {
            let placement = if way == 2 { Placement::Mounted } else { Placement::Copied };
            let mut step = run(base.clone());
            if let Action::Run(run) = &mut step.action {
                run.user = Some("7".to_owned());
                run.places = places
                    .iter()
                    .map(|(content, at)| Place { content: ContentId(*content), at: (*at).to_owned(), placement })
                    .collect();
                run.commit = Some(ImageChanges { user: Some("7".to_owned()), ..ImageChanges::default() });
            }
            step
        }
    };
    plan
}

fn judged(policy: &Policy, plan: Plan) -> Result<(), String> {
    policy.approve(plan, &plugin(), &named()).map(|_| ()).map_err(|denial| printed(&denial))
}

fn no_root() -> Policy {
    Policy::parse(NO_ROOT, Path::new("policy.toml"), Whose::User).expect("it is a policy")
}

#[test]
fn refuses_places_that_decide_who_is_root_however_content_gets_there() {
    for path in ["/etc", "/etc/ld.so.preload", "/lib", "/usr", "/usr/bin/su", "/usr/lib64/x", "/sbin"] {
        for way in 0..4 {
            let base = image_of("builder", "app");
            assert!(judged(&Policy::none(), putting(&base, &[(1, path)], way)).is_err(), "{path}, {way}");
            assert!(judged(&no_root(), putting(&image("rooted"), &[(1, path)], way)).is_err(), "{path}, {way}");
            assert_eq!(judged(&Policy::none(), putting(&image("rooted"), &[(1, path)], way)), Ok(()), "{path}, {way}");
        }
        assert_eq!(judged(&Policy::none(), putting(&Base::Scratch, &[(1, path)], 1)), Ok(()), "{path}");
    }
}

#[test]
fn refuses_them_in_what_a_step_has_made_of_such_an_image() {
    let mut plan = putting(&image("builder"), &[(1, "/etc")], 0);
    plan.steps.insert(0, run(image("builder")));
    plan.steps[1].base = Base::Step { step: StepId(0) };
    insta::assert_snapshot!(judged(&Policy::none(), plan).unwrap_err(), @r"
    not-granted: plugin `commit` may not put content at `/etc` (step 2, `build`)
      because: the image's user is `1001`, root is granted where the image runs as root, and what stands there decides who is root
      hint: the plugin can choose another place, such as one below `/srv` or `/opt`
    ");
}

#[test]
fn says_which_line_of_the_file_stands_against_a_place() {
    insta::assert_snapshot!(judged(&no_root(), putting(&image("rooted"), &[(1, "/etc")], 0)).unwrap_err(), @r"
    not-granted: plugin `commit` may not put content at `/etc` (step 1, `build`)
      because: policy `policy.toml` grants no root, and what stands there decides who is root
      hint: to allow it, write in [defaults] of policy.toml:  root = true
    ");
}

#[test]
fn refuses_places_that_a_link_of_other_content_could_lead_elsewhere() {
    for places in [[(0, "/srv"), (1, "/srv/link")], [(1, "/srv/link/x"), (0, "/srv")], [(0, "/srv"), (0, "/srv/link")]] {
        for way in 0..4 {
            assert!(judged(&Policy::none(), putting(&image("builder"), &places, way)).is_err(), "{places:?}, {way}");
            assert_eq!(judged(&Policy::none(), putting(&image("rooted"), &places, way)), Ok(()), "{places:?}, {way}");
        }
    }
    for way in 0..2 {
        assert!(judged(&Policy::none(), putting(&image("builder"), &[(0, "/srv"), (1, "/srv")], way)).is_err(), "{way}");
    }
    insta::assert_snapshot!(judged(&Policy::none(), putting(&image("builder"), &[(0, "/srv"), (1, "/srv/link")], 0)).unwrap_err(), @r"
    not-granted: plugin `commit` may not put content at `/srv/link` and at `/srv` (step 1, `build`)
      because: the image's user is `1001`, root is granted where the image runs as root, and a link in content 0 could lead the other to root's files
      hint: the plugin can choose another place, such as one below `/srv` or `/opt`
    ");
}

/// A plan whose second step is given entries of a directory (by their globs) and nothing (without one) at places.
fn picking(places: &[(Option<&str>, &str)], placement: Placement) -> Plan {
    let mut plan = plan();
    plan.steps.push(run(image("builder")));
    let mut given = Vec::new();
    for (number, (glob, at)) in places.iter().enumerate() {
        // Each of a directory of its own, unless the glob is the same.
        let first = places.iter().position(|(earlier, _)| earlier == glob).unwrap_or(number);
        plan.contents.push(Content::Capture { step: StepId(0), path: format!("/out/{first}") });
        let mut content = ContentId(u32::try_from(plan.contents.len() - 1).expect("few contents"));
        if let Some(glob) = glob {
            plan.contents.push(Content::Matching { of: content, glob: (*glob).to_owned() });
            content = ContentId(content.0 + 1);
        }
        given.push(Place { content, at: (*at).to_owned(), placement });
    }
    if let Action::Run(run) = &mut plan.steps[1].action {
        run.places = given;
        run.commit = Some(ImageChanges::default());
    }
    plan
}

#[test]
fn lets_entries_that_are_picked_lie_beside_each_other() {
    let copied = |places: &[(Option<&str>, &str)]| judged(&Policy::none(), picking(places, Placement::Copied));
    let jars = Some("*.jar");
    assert_eq!(copied(&[(jars, "/srv"), (None, "/srv/old"), (Some("*.war"), "/srv"), (jars, "/srv/lib")]), Ok(()));
    for led in [(None, "/srv/a.jar"), (None, "/srv/a.jar/x"), (Some("app*"), "/srv"), (Some("*"), "/srv/b.jar")] {
        let denial = copied(&[(jars, "/srv"), led]).unwrap_err();
        assert!(denial.contains("could lead the other to root's files"), "{led:?}: {denial}");
    }
    let mounted = judged(&Policy::none(), picking(&[(jars, "/srv")], Placement::Mounted)).unwrap_err();
    assert!(mounted.contains("mount what matches `*.jar`"), "{mounted}");
    for glob in ["lib/*.jar", "["] {
        let denial = copied(&[(Some(glob), "/srv")]).unwrap_err();
        assert!(denial.contains("stands for no names"), "{glob}: {denial}");
    }
    let mut of_the_source = picking(&[(jars, "/srv")], Placement::Copied);
    of_the_source.contents.push(Content::Matching { of: ContentId(0), glob: "*".to_owned() });
    let denial = judged(&Policy::none(), of_the_source).unwrap_err();
    assert!(denial.contains("only of what a step leaves"), "{denial}");
}

#[test]
fn approves_the_places_that_strategies_use() {
    let usual =
        [(0, "/tmp/src"), (1, "/tmp/artifacts"), (2, "/tmp/build"), (1, "/usr/share/list"), (0, "/srv"), (1, "/srv-list")];
    for way in 0..4 {
        for policy in [Policy::none(), no_root()] {
            assert_eq!(judged(&policy, putting(&image("builder"), &usual, way)), Ok(()), "{way}");
            let plain = [(1, "/srv/a"), (2, "/srv/a/b")];
            assert_eq!(judged(&policy, putting(&image("builder"), &plain, way)), Ok(()), "{way}");
        }
    }
}

#[test]
fn spells_out_a_place_that_would_steer_the_terminal() {
    let denial = judged(&Policy::none(), putting(&image("builder"), &[(1, "/a\u{1b}[2J"), (1, "/a\u{1b}[2J")], 2)).unwrap_err();
    assert!(denial.contains(r"put two contents at `/a\u{1b}[2J`"), "{denial}");
}
