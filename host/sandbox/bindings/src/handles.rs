//! What a guest's handles stand for: places in what one call keeps. There is one plan, job, subject, card and list of findings a
//! call, so these need no number.

/// An image: its place in the call's list of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image(pub usize);

/// The source tree of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tree;

/// The plan of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan;

/// A content: its number in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content(pub u32);

/// A run: the number of its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run(pub u32);

/// A build: the number of its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build(pub u32);

/// An assembly: the number of its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assembly(pub u32);

/// An image that the plan makes: the number of the step that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made(pub u32);

/// The job of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job;

/// The subject of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject;

/// A step to look at: its place in the subject's plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step(pub usize);

/// The findings of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings;

/// The card of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card;

/// The address of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address;

/// A blob: its number in the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob(pub u32);

/// A spool: its number in the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spool(pub u32);

/// The tree that the call fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeWriter;

/// A file that grows: its number in the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileWriter(pub u32);

/// What a server answered: its number in the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response(pub u32);

/// A line to a repository: its number in the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection(pub u32);
