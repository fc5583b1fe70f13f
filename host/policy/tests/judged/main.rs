//! Plans held against grants: by the command line alone, and narrowed by a policy file.

mod command_line;
mod fetches;
mod narrowing;
mod places;
mod policy_file;
mod support;
mod trusted_file;
mod wild;
