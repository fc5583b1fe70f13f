//! What the engine for Docker and Podman promises beyond the cases that every engine must pass: how many requests it makes, what it
//! remembers, what it says where the daemon's own words are of no help, and what it leaves.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

mod docker_engine {
    mod asking;
    mod bench;
    mod building;
    mod ending;
    mod plans;
    mod running;
}
