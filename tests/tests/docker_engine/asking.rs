//! Questions about images: who an image runs as, what need not be asked twice, and what no registry is asked.

use sti_core::{Pull, Reference, plan::StepId, progress::Silent};
use sti_engine::{Engine, Error};

use super::{
    bench::check,
    plans::{committing, plan_of},
};

#[test]
fn resolves_a_named_user_and_refuses_an_unknown_one() {
    check("builder:staff", async |bench| {
        let identity = bench.engine.identity(&bench.builder).await.unwrap();
        assert_eq!((identity.uid, identity.gid, identity.home.as_deref()), (431, 50, Some("/home/builder")));
        let mut stranger = bench.builder.clone();
        stranger.user = "stranger".to_owned();
        let error = bench.engine.identity(&stranger).await.unwrap_err();
        assert!(error.to_string().contains("`stranger`"), "{error}");
    });
}

#[test]
fn asks_nothing_of_the_next_build_that_this_one_could_have_asked() {
    check("builder", async |bench| {
        let first = bench.engine_with_memory().await;
        let paths = ["/usr/bin/fixture".to_owned(), "/usr/bin/save-artifacts".to_owned()];
        // The earlier product of the same tag is asked as the builder is.
        let other = bench.other_image().await;
        first.look_at(&other, &paths).await.unwrap();
        first.identity(&bench.builder).await.unwrap();
        let plan = plan_of(vec![committing(bench, "exit 0")], Vec::new());
        let outcome = bench.execute_with(&first, plan, None).await.unwrap();
        first.tag(&outcome.images[&StepId(0)], &bench.tag()).await.unwrap();
        first.clean_up().await.unwrap();
        let second = bench.engine_with_memory().await;
        let facts = second.inspect(&bench.tag(), Pull::Never, &Silent).await.unwrap().unwrap();
        let found = second.look_at(&facts, &paths).await.unwrap();
        assert_eq!((found.len(), second.requests()), (1, 2), "version and inspect");
    });
}

#[test]
fn contacts_no_registry_with_never_and_says_what_to_do_where_one_is_dead() {
    check("", async |bench| {
        let nowhere = Reference::parse("127.0.0.1:1/nowhere:1").unwrap();
        assert_eq!(bench.engine.inspect(&nowhere, Pull::Never, &Silent).await.unwrap(), None);
        let error = bench.engine.inspect(&nowhere, Pull::Missing, &Silent).await.unwrap_err();
        assert!(matches!(&error, Error::PullFailed { hint: Some(hint), .. } if hint.contains("--pull never")), "{error:?}");
    });
}
