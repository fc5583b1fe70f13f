//! Between threads and tasks.

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};

use super::*;
use crate::archive::{blocking_reader, stream};

#[tokio::test]
async fn brings_all_bytes_in_order() {
    let bytes: Vec<u8> = (0..1_000_003_u32).map(|number| number.to_le_bytes()[number as usize % 4]).collect();
    let sent = bytes.clone();
    let (pieces, verdict) = stream(move |out| sent.chunks(777).try_for_each(|piece| out.write_all(piece)).map_err(Error::Write));
    let received: Vec<Bytes> = pieces.try_collect().await.unwrap();
    assert_eq!(received.concat(), bytes);
    verdict.await.unwrap();
}

#[tokio::test]
async fn breaks_off_with_the_reason_when_the_job_fails() {
    let (pieces, verdict) = stream(|out| {
        out.write_all(b"begun").map_err(Error::Write)?;
        Err(Error::NotATar { why: "a test".to_owned() })
    });
    let items: Vec<_> = pieces.collect().await;
    assert_eq!(items.last().unwrap().as_ref().unwrap_err().to_string(), "it is no tar archive: a test");
    assert!(matches!(verdict.await, Err(Error::NotATar { .. })));
}

#[tokio::test]
async fn ends_the_job_when_nobody_reads_and_keeps_memory_flat() {
    let written = Arc::new(AtomicUsize::new(0));
    let counter = written.clone();
    let (mut pieces, verdict) = stream(move |out| {
        loop {
            out.write_all(&[1; 4096]).map_err(Error::Write)?;
            counter.fetch_add(4096, Ordering::SeqCst);
        }
    });
    pieces.next().await.unwrap().unwrap();
    drop(pieces);
    assert!(matches!(verdict.await, Err(Error::Write(_))));
    assert!(written.load(Ordering::SeqCst) < 2 * 1024 * 1024, "an endless job is held back");
}

#[tokio::test]
async fn reads_a_stream_from_a_blocking_thread() {
    let pieces = futures_util::stream::iter(["one ", "", "two"]).map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
    let mut reader = blocking_reader(pieces);
    let read = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });
    assert_eq!(read.await.unwrap().unwrap(), "one two");
}
