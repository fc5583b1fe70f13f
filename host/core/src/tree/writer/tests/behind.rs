//! What is written by the thread beside: as much as it is, in order, and with failures told.

use std::fs;

use super::{Yard, code};

/// More than waits at one time, in files and in bytes.
const MANY: usize = 3_000;

#[test]
fn many_files_arrive_whole_and_in_order() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    let mut growing = tree.open_file("growing", 0o644).unwrap();
    for number in 0..MANY {
        tree.append(&mut growing, format!("{number}\n")).unwrap();
        tree.put_file(&format!("{}/{number}", number % 7), 0o644, vec![7; number]).unwrap();
        if number % 2 == 0 {
            tree.remove(&format!("{}/{number}", number % 7)).unwrap();
        }
    }
    tree.finish_file(growing).unwrap();
    tree.finish().unwrap();
    let lines = (0..MANY).map(|number| number.to_string()).collect::<Vec<_>>();
    assert_eq!(fs::read_to_string(yard.tree().join("growing")).unwrap().lines().collect::<Vec<_>>(), lines);
    for number in 0..MANY {
        let found = fs::metadata(yard.tree().join(format!("{}/{number}", number % 7)));
        assert_eq!(found.ok().map(|file| file.len()), (number % 2 == 1).then_some(number as u64));
    }
}

#[test]
fn what_the_disk_refuses_is_told_by_a_later_call_and_nothing_more_is_written() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    // Somebody else writes there, which stands for a disk that fails.
    fs::write(yard.tree().join("taken"), "mine").unwrap();
    tree.put_file("taken", 0o644, b"x").unwrap();
    let told = (0..100 * MANY).find_map(|number| tree.put_file(&number.to_string(), 0o644, b"x").err());
    assert_eq!(told.expect("it is told before all is written").code, "written-twice");
    assert_eq!(code(tree.put_directory("more", 0o755)), "written-twice");
    assert_eq!(tree.finish().unwrap_err().code, "written-twice");
    assert_eq!(fs::read_to_string(yard.tree().join("taken")).unwrap(), "mine");
    assert_eq!(fs::read_dir(yard.tree()).unwrap().count(), 1);
}

#[test]
fn a_writer_that_is_dropped_has_ended_to_write() {
    let yard = Yard::new();
    let mut tree = yard.writer();
    for number in 0..MANY {
        tree.put_file(&number.to_string(), 0o644, vec![7; 10_000]).unwrap();
    }
    drop(tree);
    let names = || fs::read_dir(yard.tree()).unwrap().count();
    let left = names();
    assert!(left < MANY, "what waits is not written any more");
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert_eq!(names(), left);
}
