//! The thread beside a tree-writer, which does the disk's part while a fetcher goes on reading: it has what is to be done in order, and
//! no more than a few MiB of it. Where there is little to do, none is started.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use super::{
    hand::{Deed, Hand},
    refusals as refused,
};
use crate::Problem;

/// Deeds are handed over in batches: each wakes the thread, which costs as much as writing a small file.
const BATCH_BYTES: usize = 512 << 10;
const BATCH_DEEDS: usize = 256;
/// How many batches may wait.
const WAITING: usize = 4;

/// What is to be done, and who does it.
#[derive(Debug)]
pub(super) struct Behind {
    batch: Vec<Deed>,
    bytes: usize,
    doer: Doer,
}

#[derive(Debug)]
enum Doer {
    /// Nobody is at work.
    Here(Box<Hand>),
    There(Thread),
    /// Something failed: all that comes later fails by the same.
    Failed(Problem),
}

#[derive(Debug)]
struct Thread {
    batches: Option<SyncSender<Vec<Deed>>>,
    is_given_up: Arc<AtomicBool>,
    handle: Option<JoinHandle<Result<Hand, Problem>>>,
}

impl Behind {
    pub(super) fn new(hand: Hand) -> Self {
        Self { batch: Vec::new(), bytes: 0, doer: Doer::Here(Box::new(hand)) }
    }

    /// Has a deed carried out, now or later. A failure may be that of an earlier one.
    pub(super) fn carry_out(&mut self, deed: Deed) -> Result<(), Problem> {
        if let Doer::Failed(problem) = &self.doer {
            return Err(problem.clone());
        }
        self.bytes += deed.bytes();
        self.batch.push(deed);
        if self.bytes < BATCH_BYTES && self.batch.len() < BATCH_DEEDS {
            return Ok(());
        }
        self.bytes = 0;
        let batch = mem::replace(&mut self.batch, Vec::with_capacity(BATCH_DEEDS));
        self.hand_over(batch)
    }

    /// Waits until everything is done, and lends the hand.
    pub(super) fn settle(&mut self) -> Result<&mut Hand, Problem> {
        self.call_back();
        self.bytes = 0;
        if let Doer::Here(hand) = &mut self.doer
            && let Err(problem) = mem::take(&mut self.batch).into_iter().try_for_each(|deed| hand.carry_out(deed))
        {
            self.doer = Doer::Failed(problem);
        }
        match &mut self.doer {
            Doer::Here(hand) => Ok(hand),
            Doer::Failed(problem) => Err(problem.clone()),
            Doer::There(_) => Err(refused::no_thread("it does not end")),
        }
    }

    fn hand_over(&mut self, batch: Vec<Deed>) -> Result<(), Problem> {
        self.start();
        let is_taken = match &self.doer {
            Doer::There(thread) => thread.batches.as_ref().is_some_and(|batches| batches.send(batch).is_ok()),
            _ => false,
        };
        if !is_taken {
            // It ended, which it does after a failure only.
            self.call_back();
        }
        match &self.doer {
            Doer::Failed(problem) => Err(problem.clone()),
            _ => Ok(()),
        }
    }

    /// Starts the thread, where the hand is here.
    fn start(&mut self) {
        self.doer = match mem::replace(&mut self.doer, Doer::Failed(refused::no_thread("it ended"))) {
            Doer::Here(hand) => Thread::start(*hand),
            other => other,
        };
    }

    /// Waits for the thread, where there is one.
    fn call_back(&mut self) {
        self.doer = match mem::replace(&mut self.doer, Doer::Failed(refused::no_thread("it ended"))) {
            Doer::There(mut thread) => thread.end(),
            other => other,
        };
    }
}

impl Thread {
    fn start(hand: Hand) -> Doer {
        let (batches, received) = sync_channel(WAITING);
        let is_given_up = Arc::new(AtomicBool::new(false));
        let given_up = Arc::clone(&is_given_up);
        let started = thread::Builder::new().name("tree-writer".to_owned()).spawn(move || work(hand, &received, &given_up));
        match started {
            Ok(handle) => Doer::There(Self { batches: Some(batches), is_given_up, handle: Some(handle) }),
            Err(error) => Doer::Failed(refused::no_thread(&error.to_string())),
        }
    }

    fn end(&mut self) -> Doer {
        drop(self.batches.take());
        match self.handle.take().map(JoinHandle::join) {
            Some(Ok(Ok(hand))) => Doer::Here(Box::new(hand)),
            Some(Ok(Err(problem))) => Doer::Failed(problem),
            Some(Err(_)) | None => Doer::Failed(refused::no_thread("it ended")),
        }
    }
}

impl Drop for Thread {
    /// Who removes the directory next must not find somebody who still writes there.
    fn drop(&mut self) {
        self.is_given_up.store(true, Ordering::Relaxed);
        let _ended = self.end();
    }
}

fn work(mut hand: Hand, batches: &Receiver<Vec<Deed>>, is_given_up: &AtomicBool) -> Result<Hand, Problem> {
    for deed in batches.iter().flatten() {
        if is_given_up.load(Ordering::Relaxed) {
            break;
        }
        hand.carry_out(deed)?;
    }
    Ok(hand)
}
