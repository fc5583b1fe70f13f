//! The store as builds use it: what is kept and found, what is not believed, and what is taken away.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

use std::{
    fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use cap_std::{ambient_authority, fs::Dir};
use sti_cache::{Kept, Settings, Store, copy_tree};
use sti_core::{Blob, BuildId, spool, tree::Summary};

const BOOT: &str = "this boot";

fn open(place: &Path, limit: u64, boot: &str) -> Store {
    Store::open(Settings { dir: dir(place), path: place.to_owned(), limit, boot: Some(boot.to_owned()) }).unwrap()
}

fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

/// A private directory, and a store in it.
fn store(limit: u64) -> (tempfile::TempDir, Store) {
    let place = tempfile::tempdir().unwrap();
    let store = open(place.path(), limit, BOOT);
    (place, store)
}

fn key(word: &str) -> String {
    sti_core::digest::sha256(word.as_bytes())
}

/// Keeps a tree with one file of so many bytes, and a directory that may not be written.
fn keep(store: &Store, word: &str, bytes: u64) -> Option<Kept> {
    let scratch = store.scratch(BuildId::draw().as_str()).unwrap();
    fs::write(scratch.path().join("file"), vec![b'x'; usize::try_from(bytes).unwrap()]).unwrap();
    fs::create_dir(scratch.path().join("closed")).unwrap();
    fs::write(scratch.path().join("closed/inside"), word).unwrap();
    fs::set_permissions(scratch.path().join("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    store.keep_tree(&scratch, &key(word), Summary { entries: 3, bytes: bytes + word.len() as u64 }).unwrap()
}

fn inside(kept: &Kept) -> String {
    fs::read_to_string(kept.path().join("closed/inside")).unwrap()
}

/// All names in the place but the lock.
fn names(place: &tempfile::TempDir) -> Vec<String> {
    let names = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
    names.sort_unstable();
    names
}

#[test]
fn a_tree_is_found_under_its_key_and_stays_after_its_maker() {
    let (place, store) = store(1 << 30);
    assert!(store.tree(&key("a")).is_none());
    drop(keep(&store, "a", 10).unwrap());
    let kept = open(place.path(), 1 << 30, BOOT).tree(&key("a")).unwrap();
    assert_eq!((inside(&kept).as_str(), kept.summary()), ("a", Summary { entries: 3, bytes: 11 }));
    assert!(store.tree(&key("b")).is_none());
    assert_eq!(names(&place), [format!("tree-{}", key("a"))]);
}

#[test]
fn what_was_not_kept_is_removed_with_its_maker_or_by_the_next_one() {
    let (place, store) = store(1 << 30);
    let scratch = store.scratch(BuildId::draw().as_str()).unwrap();
    fs::write(scratch.path().join("file"), "half").unwrap();
    store.tidy();
    assert_eq!(fs::read_to_string(scratch.path().join("file")).unwrap(), "half", "its maker lives");
    drop(scratch);
    assert_eq!(names(&place), Vec::<String>::new());
    // A killed process runs no destructor, and the kernel lets go of its locks.
    let left = place.path().join("0123456789abcdef");
    fs::create_dir_all(left.join("tree/closed")).unwrap();
    fs::write(left.join("tree/closed/file"), "half").unwrap();
    fs::set_permissions(left.join("tree/closed"), fs::Permissions::from_mode(0o000)).unwrap();
    let decoys = ["0123456789abcdeg", "mine", "tree-mine"];
    for decoy in decoys {
        fs::create_dir(place.path().join(decoy)).unwrap();
    }
    let _scratch = store.scratch("fedcba9876543210").unwrap();
    assert_eq!(names(&place), ["0123456789abcdeg", "fedcba9876543210", "mine", "tree-mine"]);
    store.clear();
    assert_eq!(names(&place), ["0123456789abcdeg", "fedcba9876543210", "mine", "tree-mine"], "only what is ours goes");
}

#[test]
fn of_many_that_make_the_same_tree_all_use_one() {
    let (place, store) = store(1 << 30);
    let store = Arc::new(store);
    let makers: Vec<_> =
        (0..8).map(|_| Arc::clone(&store)).map(|store| thread::spawn(move || keep(&store, "same", 1000))).collect();
    let kept: Vec<_> = makers.into_iter().map(|maker| maker.join().unwrap().unwrap()).collect();
    assert!(kept.iter().all(|one| inside(one) == "same" && one.path() == kept[0].path()));
    assert_eq!(names(&place), [format!("tree-{}", key("same"))]);
}

#[test]
fn what_was_not_used_for_longest_goes_first_and_never_what_somebody_holds() {
    let (place, store) = store(40_000);
    let held = keep(&store, "held", 3_000).unwrap();
    for word in ["old", "used"] {
        drop(keep(&store, word, 3_000).unwrap());
    }
    // Each costs as much as its bytes and a block for each entry: two fit.
    drop(store.tree(&key("used")).unwrap());
    let tidied = store.tidy();
    assert_eq!((tidied.removed, tidied.kept), (1, 2), "{tidied:?}");
    assert!(tidied.freed > 3_000 && tidied.bytes <= 40_000, "{tidied:?}");
    assert_eq!(names(&place).len(), 2);
    assert!(store.tree(&key("old")).is_none() && store.tree(&key("used")).is_some());
    assert_eq!(inside(&held), "held");
    assert_eq!(store.clear().kept, 1, "what is held stays whatever is asked");
    drop(held);
    assert_eq!((store.clear().kept, names(&place).len()), (0, 0));
}

#[test]
fn what_does_not_fit_is_not_kept() {
    let (place, store) = store(20_000);
    assert!(keep(&store, "large", 20_000).is_none());
    let large = blob(place.path(), &vec![b'x'; 20_000]);
    store.keep_bytes(&key("bytes"), &large).unwrap();
    assert!(store.bytes(&key("bytes")).is_none());
    assert_eq!(names(&place), Vec::<String>::new());
}

fn check_disbelieved(change: impl FnOnce(&Path)) {
    let (place, store) = store(1 << 30);
    drop(keep(&store, "a", 10).unwrap());
    let entry = place.path().join(format!("tree-{}", key("a")));
    change(&entry);
    assert!(store.tree(&key("a")).is_none());
    assert!(!entry.exists(), "what cannot be used is removed");
    assert_eq!(inside(&keep(&store, "a", 10).unwrap()), "a", "and can be kept anew");
}

#[test]
fn what_was_changed_is_not_there() {
    let pause = || thread::sleep(std::time::Duration::from_millis(20));
    check_disbelieved(|entry| {
        pause();
        fs::write(entry.join("tree/file"), "yyyyyyyyyy").unwrap();
    });
    check_disbelieved(|entry| {
        pause();
        let file = fs::File::options().append(true).open(entry.join("tree/closed/inside")).unwrap();
        let before = file.metadata().unwrap().modified().unwrap();
        (&file).write_all(b"more").unwrap();
        file.set_modified(before).unwrap();
    });
    check_disbelieved(|entry| {
        pause();
        fs::remove_file(entry.join("tree/file")).unwrap();
    });
    check_disbelieved(|entry| {
        pause();
        fs::set_permissions(entry.join("tree/file"), fs::Permissions::from_mode(0o600)).unwrap();
    });
    check_disbelieved(|entry| fs::write(entry.join("about.json"), "{").unwrap());
    check_disbelieved(|entry| fs::remove_file(entry.join("about.json")).unwrap());
    check_disbelieved(|entry| fs::set_permissions(entry, fs::Permissions::from_mode(0o777)).unwrap());
}

#[test]
fn a_link_in_the_place_of_what_is_kept_is_not_followed() {
    let (place, store) = store(1 << 30);
    let yard = tempfile::tempdir().unwrap();
    let (other, elsewhere) = self::store(1 << 30);
    drop(keep(&elsewhere, "a", 10).unwrap());
    fs::create_dir(yard.path().join("tree")).unwrap();
    fs::write(yard.path().join("tree/decoy"), "untouched").unwrap();
    for target in [yard.path().to_owned(), other.path().join(format!("tree-{}", key("a")))] {
        let link = place.path().join(format!("tree-{}", key("a")));
        symlink(&target, &link).unwrap();
        assert!(store.tree(&key("a")).is_none());
        store.clear();
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(fs::read_to_string(yard.path().join("tree/decoy")).unwrap(), "untouched");
    assert!(elsewhere.tree(&key("a")).is_some());
}

#[test]
fn links_within_a_tree_are_removed_and_not_what_they_lead_to() {
    let (_place, store) = store(1 << 30);
    let yard = tempfile::tempdir().unwrap();
    fs::write(yard.path().join("decoy"), "untouched").unwrap();
    let scratch = store.scratch(BuildId::draw().as_str()).unwrap();
    symlink(yard.path(), scratch.path().join("points")).unwrap();
    symlink(yard.path().join("decoy"), scratch.path().join("file")).unwrap();
    drop(store.keep_tree(&scratch, &key("links"), Summary { entries: 2, bytes: 0 }).unwrap().unwrap());
    drop(scratch);
    assert_eq!(store.clear().removed, 1);
    assert_eq!(fs::read_to_string(yard.path().join("decoy")).unwrap(), "untouched");
}

#[test]
fn what_may_be_half_on_the_disk_after_a_crash_is_not_there() {
    let (place, store) = store(1 << 30);
    drop(keep(&store, "settled", 10).unwrap());
    store.settle().unwrap();
    drop(keep(&store, "unsettled", 10).unwrap());
    let after = open(place.path(), 1 << 30, "another boot");
    assert!(after.tree(&key("settled")).is_some());
    assert!(after.tree(&key("unsettled")).is_none());
    let unknown = Settings { dir: dir(place.path()), path: place.path().to_owned(), limit: 1 << 30, boot: None };
    drop(keep(&store, "unsettled", 10).unwrap());
    assert!(Store::open(unknown).unwrap().tree(&key("unsettled")).is_none(), "a boot that has no name is no boot");
}

fn blob(place: &Path, bytes: &[u8]) -> Blob {
    let mut file = spool::file(&dir(place)).unwrap();
    file.write_all(bytes).unwrap();
    Blob::of(file).unwrap()
}

#[test]
fn bytes_and_notes_are_replaced_and_read_until_nobody_does() {
    let (place, store) = store(1 << 30);
    store.keep_bytes(&key("a"), &blob(place.path(), b"first")).unwrap();
    let first = store.bytes(&key("a")).unwrap();
    store.keep_bytes(&key("a"), &blob(place.path(), b"the second")).unwrap();
    assert_eq!(store.bytes(&key("a")).unwrap().read(0, 100).unwrap(), b"the second");
    assert_eq!(first.read(0, 100).unwrap(), b"first", "what was opened stays what it was");
    for words in ["one", "two"] {
        store.keep_note(&key("a"), words).unwrap();
        assert_eq!(store.note(&key("a")).as_deref(), Some(words));
    }
    assert_eq!(names(&place).len(), 2, "{:?}", names(&place));
    let bytes = place.path().join(format!("bytes-{}/bytes", key("a")));
    fs::write(bytes, "THE SECOND").unwrap();
    thread::sleep(std::time::Duration::from_millis(20));
    fs::write(place.path().join(format!("bytes-{}/bytes", key("a"))), "the SECOND").unwrap();
    assert!(store.bytes(&key("a")).is_none(), "it was changed");
}

#[test]
fn a_file_of_the_user_is_copied_and_never_shared() {
    let (place, store) = store(1 << 30);
    let yard = tempfile::tempdir().unwrap();
    let path = yard.path().join("mine");
    fs::write(&path, "mine").unwrap();
    store.keep_bytes(&key("a"), &Blob::of_user(fs::File::open(&path).unwrap()).unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().nlink(), 1);
    fs::write(&path, "else").unwrap();
    assert_eq!(store.bytes(&key("a")).unwrap().read(0, 100).unwrap(), b"mine");
    drop(place);
}

#[test]
fn a_copy_is_what_the_tree_is_and_shares_nothing_with_it() {
    let yard = tempfile::tempdir().unwrap();
    let (from, to): (PathBuf, PathBuf) = (yard.path().join("from"), yard.path().join("to"));
    fs::create_dir_all(from.join("deep/er")).unwrap();
    fs::create_dir(&to).unwrap();
    fs::write(from.join("deep/file"), "text").unwrap();
    fs::hard_link(from.join("deep/file"), from.join("deep/er/same")).unwrap();
    symlink("/nowhere/at/all", from.join("link")).unwrap();
    for (path, mode) in [("deep/file", 0o751), ("deep/er", 0o555), ("deep", 0o700)] {
        fs::set_permissions(from.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    copy_tree(&dir(&from), &dir(&to)).unwrap();
    let metadata = |path: &str| fs::symlink_metadata(to.join(path)).unwrap();
    for (path, mode) in [("deep/file", 0o751), ("deep/er", 0o555), ("deep", 0o700)] {
        assert_eq!(metadata(path).mode() & 0o7777, mode, "{path}");
    }
    assert_eq!(metadata("deep/file").ino(), metadata("deep/er/same").ino());
    assert_ne!(metadata("deep/file").ino(), fs::metadata(from.join("deep/file")).unwrap().ino());
    assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("/nowhere/at/all"));
    fs::write(to.join("deep/file"), "else").unwrap();
    assert_eq!(fs::read_to_string(from.join("deep/file")).unwrap(), "text");
}
