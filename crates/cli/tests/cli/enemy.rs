//! Directories that nobody would wish for.

use std::path::Path;

use crate::common::{convert, files, korpus, page, put, restored};

#[test]
fn a_directory_of_junk_is_accounted_for() {
    let dir = tempfile::tempdir().unwrap();
    let junk = dir.path().join("junk");
    put(&junk, "page.json", page(&["a"]));
    put(&junk, "empty", "");
    put(&junk, "zeros.bin", vec![0; 100_000]);
    let mut noise = 1_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 56) as u8
    })
    .take(200_000)
    .collect();
    put(&junk, "noise.bin", &bytes);
    put(&junk, "noise.json.gz", [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &bytes].concat());
    put(&junk, "deep/deeper/brackets.json", "[".repeat(1_000_000));
    put(&junk, "deep/braces.json", "{\"a\":".repeat(300_000));
    put(&junk, "quotes.json", "\"".repeat(99_999));
    put(&junk, ".hidden.json", page(&["hidden"]));
    put(&junk, &format!("{}.json", "n".repeat(200)), page(&["b"]));
    let out = dir.path().join("out");
    let summary = convert(&[&junk], &out, &[], 1);
    assert_eq!(summary["inputs"]["files"], 9);
    assert_eq!(summary["messages"]["kept"], 2);
    let bodies: u64 = summary["bodies"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert!(bodies >= 9);
    korpus(["check", junk.to_str().unwrap()]).exits(1);
    for name in files(&junk).keys() {
        let ran = korpus([Path::new("inspect"), &junk.join(name)]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn odd_names_and_links_are_read_once() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in");
    put(&input, "a/page.json", page(&["a"]));
    std::fs::write(input.join(std::ffi::OsStr::from_bytes(b"\xff\xfe.json")), page(&["b"])).unwrap();
    std::fs::write(input.join("new\nline 'and' \"quotes\".json"), page(&["c"])).unwrap();
    std::os::unix::fs::symlink(&input, input.join("a/loop")).unwrap();
    std::os::unix::fs::symlink(input.join("a/page.json"), input.join("again.json")).unwrap();
    std::os::unix::fs::symlink("nowhere", input.join("dangling.json")).unwrap();
    let out = dir.path().join("out");
    let summary = convert(&[&input], &out, &[], 1);
    assert_eq!((&summary["messages"]["kept"], &summary["messages"]["seen"]), (&3.into(), &3.into()));
    assert_eq!(summary["inputs"]["repeated"].as_array().unwrap().len(), 1, "{}", summary["inputs"]);
    // What cannot be read is told, with the system's reason.
    assert_eq!(summary["inputs"]["unreadable"].as_array().unwrap().len(), 1, "{}", summary["inputs"]);
    let ran = korpus([Path::new("check"), &input]).exits(1);
    assert!(
        ran.out.contains("Files that could not be read") && ran.out.contains("dangling.json"),
        "{}",
        ran.out
    );
    assert_eq!(restored(&out).len(), 3);
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_a_finding_not_a_failure() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in");
    put(&input, "a.json", page(&["a"]));
    let closed = put(&input, "closed.json", page(&["b"]));
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&closed).is_ok() {
        eprintln!("this user may read everything");
        return;
    }
    let summary = convert(&[&input], &dir.path().join("out"), &[], 1);
    assert_eq!(summary["messages"]["kept"], 1);
    assert_eq!(summary["inputs"]["unreadable"][0]["source_file"], "closed.json");
}

#[test]
fn limits_hold_against_a_bomb() {
    let dir = tempfile::tempdir().unwrap();
    // Spaces inflate a thousandfold: past the floor of the limit they are called what they are.
    let spaces = " ".repeat(1 << 20);
    let body = format!("{}{}{}", &page(&["a"])[..40], spaces.repeat(80), &page(&["a"])[40..]);
    let (mut encoder, file) = (Vec::new(), dir.path().join("bomb.json.gz"));
    {
        use std::io::Write as _;
        let mut gzip = flate2::write::GzEncoder::new(&mut encoder, flate2::Compression::best());
        gzip.write_all(body.as_bytes()).unwrap();
        gzip.finish().unwrap();
    }
    std::fs::write(&file, encoder).unwrap();
    let summary = convert(&[&file], &dir.path().join("out"), &[], 1);
    assert_eq!(summary["not_whole"][0]["reason"], "ratio_exceeded", "{summary:#}");
}
