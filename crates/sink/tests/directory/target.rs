//! Directories that can be used, can be made, or cannot.

use wissel_model::MessageKey;
use wissel_sink::{DirectorySink, Problem, Readiness};

use crate::support::{deliver, names, open, target};

#[tokio::test]
async fn probing_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let deep = directory.path().join("a").join("b");
    assert_eq!(DirectorySink::probe(&target(&deep)).await.unwrap(), Readiness::CanBeMade);
    assert_eq!(DirectorySink::probe(&target(directory.path())).await.unwrap(), Readiness::Ready);
    assert!(names(directory.path(), MessageKey::generate()).is_empty());
    open(&deep).await;
    assert_eq!(names(&deep, MessageKey::generate()), [".incoming"]);
}

#[tokio::test]
async fn a_file_in_the_way_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("post");
    std::fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("facturen").join("2026")] {
        for error in [
            DirectorySink::probe(&target(&path)).await.map(|_| ()).unwrap_err(),
            DirectorySink::open(&target(&path)).await.map(|_| ()).unwrap_err(),
        ] {
            assert_eq!(error.problem, Problem::NotADirectory, "{error}");
            assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
            assert!(error.to_string().ends_with("or move what is in its place"), "{error}");
        }
    }
    assert_eq!(std::fs::read(file).unwrap(), b"x");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_system_that_takes_no_files_is_refused() {
    // Also for a superuser, whom permissions do not stop.
    for error in [
        DirectorySink::probe(&target("/proc/self".as_ref())).await.map(|_| ()).unwrap_err(),
        DirectorySink::open(&target("/proc/self/post".as_ref())).await.map(|_| ()).unwrap_err(),
    ] {
        assert!(error.path.starts_with("/proc/self"), "{error}");
    }
}

#[tokio::test]
async fn a_path_that_is_too_long_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("x".repeat(300));
    assert_eq!(DirectorySink::open(&target(&long)).await.unwrap_err().problem, Problem::PathTooLong);
    assert_eq!(DirectorySink::probe(&target(&long)).await.unwrap_err().problem, Problem::PathTooLong);
}

#[tokio::test]
async fn a_directory_that_vanishes_is_an_error_and_works_again_once_it_is_opened_anew() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sink");
    let (sink, key) = (open(&path).await, MessageKey::generate());
    std::fs::remove_dir_all(&path).unwrap();
    let error = deliver(&sink, key, b"Subject: x\r\n\r\n").await.unwrap_err();
    assert_eq!(error.problem, Problem::Missing, "{error}");
    deliver(&open(&path).await, key, b"Subject: x\r\n\r\n").await.unwrap();
    assert_eq!(names(&path, key), [".incoming", "KEY.eml", "KEY.json"]);
}
