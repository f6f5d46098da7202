//! Lists, as files.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use favor_campaign::list::{ListChange, ListError, ListSource, Problem, ProblemKind, compare, read};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// A folder with a list in it.
struct Folder(TempDir);

impl Folder {
    fn with(bytes: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("list.csv"), bytes).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("list.csv")
    }

    fn source(&self) -> ListSource {
        ListSource::new(self.file())
    }

    /// Names of what is there.
    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Place, line and openid of everybody, and the problems.
type Outcome = (Vec<(u64, u64, String)>, Vec<Problem>);

fn outcome(source: &ListSource) -> Outcome {
    let mut list = read(source).unwrap();
    let person = |person: Result<favor_campaign::Recipient, ListError>| {
        let person = person.unwrap();
        (person.place, person.line, person.openid.as_str().to_owned())
    };
    let people: Vec<_> = list.people().unwrap().map(person).collect();
    assert_eq!(people, list.people().unwrap().map(person).collect::<Vec<_>>(), "it can be read again");
    let facts = list.facts();
    assert_eq!(facts.people, u64::try_from(people.len()).unwrap());
    assert_eq!(facts.rows, facts.people + facts.duplicates + facts.malformed);
    (people, list.problems().to_vec())
}

fn people(bytes: impl AsRef<[u8]>) -> Vec<(u64, u64, String)> {
    let folder = Folder::with(bytes);
    let (people, problems) = outcome(&folder.source());
    assert_eq!(problems, []);
    assert_eq!(folder.files(), ["list.csv"]);
    people
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn abc() -> Vec<(u64, u64, String)> {
    vec![(0, 3, "A".into()), (1, 1, "b".into()), (2, 2, "c".into())]
}

#[test]
fn one_openid_per_line_in_any_form() {
    for text in ["b\nc\nA\n", "b\r\nc\r\nA", "\u{feff}b\nc\nA", "\"b\"\n\"c\"\n`A", " b \nc\t\nA\n\n\n"] {
        assert_eq!(people(text), abc(), "{text:?}");
        assert_eq!(people(gzip(text.as_bytes())), abc(), "{text:?}, packed");
    }
    let two_parts = [gzip(b"b\nc"), gzip(b"\nA\n")].concat();
    assert_eq!(people(two_parts), abc());
    assert_eq!(people("one"), [(0, 1, "one".into())]);
    assert_eq!(people("one\n"), [(0, 1, "one".into())]);
}

#[test]
fn named_columns_in_any_order_and_encoding() {
    let expected = [(0, 3, "a".into()), (1, 2, "b".into())];
    for text in [
        "openid\nb\na\n",
        "\u{feff}OpenID \nb\na\n",
        "name,openid,unionid\nx,b,\n\"y,\nz\",a,\n",
        "openid,note\n\"b\",\"says \"\"hi\"\"\"\na,\n",
    ] {
        assert_eq!(people(text), expected, "{text:?}");
    }
    // Names in GBK.
    assert_eq!(people(b"\xd0\xd5\xc3\xfb,openid\n\xd5\xc5,b\n\xc0\xee,a\n"), expected);
    let folder = Folder::with("openid,wx\n1,b\n2,a\n");
    assert_eq!(outcome(&folder.source().openid_column("WX")).0, expected);
}

#[test]
fn a_list_without_anybody_is_read_too() {
    for text in ["", "\n\n", "\u{feff}", "openid\n", "openid,name\r\n\r\n"] {
        assert_eq!(people(text), [], "{text:?}");
        assert_eq!(people(gzip(text.as_bytes())), []);
    }
}

#[test]
fn the_facts_tell_of_the_file_as_it_is() {
    let bytes = gzip(b"openid\na\nb\na\n\nc d\n");
    let folder = Folder::with(&bytes);
    let list = read(&folder.source()).unwrap();
    let facts = list.facts();
    assert_eq!(facts.file, folder.file().display().to_string());
    assert_eq!(facts.sha256, data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes)));
    assert_eq!((facts.rows, facts.people, facts.duplicates, facts.malformed), (4, 2, 1, 1));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    use ProblemKind as K;
    let text = [
        "openid,name\n",      // 1
        "a,x\n",              // 2
        "a,again\n",          // 3
        ",nobody\n",          // 4
        "张三,x\n",           // 5
        "a b,x\n",            // 6
        "..,x\n",             // 7
        "c\n",                // 8
        "d,x,y\n",            // 9
        "g,\"two\nlines\"\n", // 10, 11
        "e,\"never closed\n", // 12
        "f,x\n",              // 13
        "a,once more\n",      // 14
        "h\0h,x\n",           // 15
    ]
    .concat();
    let text =
        format!("{text}{},x\n{},x\ni,{}\nj,x\n", "k".repeat(128), "k".repeat(129), "y".repeat(1 << 16));
    let folder = Folder::with(&text);
    let all = folder.0.path().join("problems.csv");
    let (people, problems) = outcome(&folder.source().problems_file(&all));
    let lines: Vec<_> = people.iter().map(|(_, line, _)| *line).collect();
    assert_eq!(lines, [2, 13, 10, 19, 16]);
    let expected = [
        (3, K::Duplicate { first_line: 2 }),
        (4, K::Empty),
        (5, K::NotAnOpenid),
        (6, K::NotAnOpenid),
        (7, K::NotAnOpenid),
        (8, K::FieldCount { expected: 2, found: 1 }),
        (9, K::FieldCount { expected: 2, found: 3 }),
        (12, K::UnclosedQuote),
        (14, K::Duplicate { first_line: 2 }),
        (15, K::NotAnOpenid),
        (17, K::OpenidTooLong),
        (18, K::TooLong),
    ];
    let found: Vec<_> = problems.iter().map(|problem| (problem.line, problem.kind)).collect();
    assert_eq!(found, expected);

    let file = std::fs::read_to_string(&all).unwrap();
    let rows: Vec<_> = file.lines().collect();
    assert_eq!(rows[0], "line,code,text");
    assert_eq!(rows[1], "3,duplicate,the same openid as on line 2");
    assert_eq!(rows.len(), 1 + expected.len());
    assert!(!file.contains("张三"), "nothing of the row is told");
    let kept = outcome(&folder.source().problems_kept(2)).1;
    assert_eq!(kept, problems[..2], "those on the first lines");
    assert!(outcome(&folder.source().problems_kept(0)).1.is_empty());
}

#[cfg(unix)]
#[test]
fn the_file_of_problems_is_for_its_owner_only_and_whole_or_not_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::with("a\na\n");
    let all = folder.0.path().join("problems.csv");
    read(&folder.source().problems_file(&all)).unwrap();
    assert_eq!(std::fs::metadata(&all).unwrap().permissions().mode() & 0o777, 0o600);
    let nowhere = folder.0.path().join("nowhere").join("problems.csv");
    let error = read(&folder.source().problems_file(nowhere)).unwrap_err();
    assert!(matches!(error, ListError::Problems { .. }), "{error}");
    assert_eq!(folder.files(), ["list.csv", "problems.csv"]);
}

#[test]
fn openids_of_one_unionid_are_one_person() {
    let text = "openid,unionid\nb,u1\na,u1\nc,\nd,\ne,u2\ne,u3\nf,\nf,u1\ng,u3\n";
    let folder = Folder::with(text);
    let (people, problems) = outcome(&folder.source());
    let openids: Vec<_> = people.iter().map(|(_, _, openid)| openid.as_str()).collect();
    // e is u2, since that stands first; f is u1, since one of its lines says so.
    assert_eq!(openids, ["b", "c", "d", "e", "g"]);
    let kinds: Vec<_> = problems.iter().map(|problem| (problem.line, problem.kind)).collect();
    let duplicate = |first_line| ProblemKind::Duplicate { first_line };
    let same = |first_line| ProblemKind::SamePerson { first_line };
    assert_eq!(kinds, [(3, same(2)), (7, duplicate(6)), (8, same(2)), (9, duplicate(8))]);

    let folder = Folder::with("openid,who\na,1\nb,1\nc,no unionid\n");
    let (people, problems) = outcome(&folder.source().unionid_column("who"));
    assert_eq!((people.len(), problems.len()), (1, 2));
    assert_eq!(problems[1].kind, ProblemKind::NotAUnionid);
}

fn refused(bytes: impl AsRef<[u8]>, change: impl Fn(ListSource) -> ListSource) -> ListError {
    let folder = Folder::with(bytes);
    let error = read(&change(folder.source())).unwrap_err();
    assert_eq!(folder.files(), ["list.csv"], "nothing is left after {error}");
    error
}

#[test]
fn a_header_that_does_not_fit_is_refused() {
    let as_it_is = |source| source;
    let no_column = |error: ListError, name: &str| match error {
        ListError::NoColumn { wanted, .. } => assert_eq!(wanted, name),
        other => panic!("{other}"),
    };
    no_column(refused("id,name\na,b\n", as_it_is), "openid");
    no_column(refused("oTea0001,oTea0002\n", as_it_is), "openid");
    no_column(refused("openid\na\n", |source| source.openid_column("wx")), "wx");
    no_column(refused("openid\na\n", |source| source.unionid_column("u")), "u");
    no_column(refused("a\nb\n", |source| source.unionid_column("u")), "u");
    for twice in ["openid,OPENID\na,b\n", "openid,unionid,unionid\n"] {
        let error = refused(twice, as_it_is);
        assert!(matches!(error, ListError::RepeatedColumn(_)), "{error}");
    }
    let same = |source: ListSource| source.openid_column("x").unionid_column("x");
    assert!(matches!(refused("x,y\n", same), ListError::RepeatedColumn(_)));
    assert!(matches!(refused("\"openid\na\n", as_it_is), ListError::NoHeader(_)));
    assert!(matches!(refused("x".repeat(1 << 17), as_it_is), ListError::NoHeader(_)));
    for utf16 in [&b"\xff\xfea\0\n\0"[..], b"\xfe\xff\0a\0\n"] {
        assert!(matches!(refused(utf16, as_it_is), ListError::Utf16));
    }
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_refused() {
    let rows: String = (0..20_000).map(|number| format!("oTea{number:08}\n")).collect();
    let packed = gzip(rows.as_bytes());
    for cut in [2, 9, 100, packed.len() / 2, packed.len() - 9, packed.len() - 1] {
        let error = refused(&packed[..cut], |source| source);
        assert!(matches!(error, ListError::Packed { .. }), "cut at {cut}: {error}");
    }
    let mut damaged = packed.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let error = refused(&damaged, |source| source);
    assert!(matches!(error, ListError::Packed { .. }), "{error}");
    let error = refused([&packed[..], b"rubbish"].concat(), |source| source);
    assert!(matches!(error, ListError::Packed { .. }), "{error}");

    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("missing.csv")] {
        let error = read(&ListSource::new(path)).unwrap_err();
        assert!(matches!(error, ListError::Read { .. }), "{error}");
    }
    let list = Folder::with("a\n");
    let error = read(&list.source().temporary_folder(folder.path().join("nowhere"))).unwrap_err();
    assert!(matches!(error, ListError::Temporary { .. }), "{error}");
}

#[test]
fn a_list_that_changes_while_it_is_read_is_refused() {
    let rows: String = (0..50_000).map(|number| format!("oTea{number:08}\n")).collect();
    let append = |file: &Path| {
        std::fs::OpenOptions::new().append(true).open(file).unwrap().write_all(b"late\n").unwrap();
    };
    let cut = |file: &Path| {
        std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(10).unwrap();
    };
    let changes: [fn(&Path); 2] = [append, cut];
    for change in changes {
        let folder = Folder::with(&rows);
        let file = folder.file();
        let once = Mutex::new(true);
        let source = folder.source().progress(move |_| {
            if std::mem::take(&mut *once.lock().unwrap()) {
                change(&file);
            }
        });
        let error = read(&source).unwrap_err();
        assert!(matches!(error, ListError::Changed(_)), "{error}");
    }
}

#[test]
fn a_list_is_compared_with_what_was_planned() {
    let folder = Folder::with("a\nb\n");
    let facts = read(&folder.source()).unwrap().facts().clone();
    let file = folder.file();
    assert_eq!(compare(&file, &facts).unwrap(), ListChange::None);
    std::fs::write(&file, "a\nc\n").unwrap();
    assert_eq!(compare(&file, &facts).unwrap(), ListChange::Content);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(compare(&file, &facts).unwrap(), ListChange::Gone);
    assert_eq!(compare(Path::new("-"), &facts).unwrap(), ListChange::NoFile);
    std::fs::create_dir(&file).unwrap();
    assert!(compare(&file, &facts).is_err());
}

#[test]
fn progress_is_told_and_ends_with_everything() {
    let folder = Folder::with((0..10_000).map(|number| format!("o{number}\n")).collect::<String>());
    let told = Arc::new(Mutex::new(Vec::new()));
    let (listener, size) = (told.clone(), std::fs::metadata(folder.file()).unwrap().len());
    read(&folder.source().progress(move |progress| listener.lock().unwrap().push(progress))).unwrap();
    let told = told.lock().unwrap();
    assert!(told.len() >= 3 && told.is_sorted_by_key(|progress| progress.rows));
    let last = told.last().unwrap();
    assert_eq!((last.rows, last.bytes, last.total), (10_000, size, Some(size)));
}

#[test]
fn more_than_the_memory_holds_is_sorted_all_the_same() {
    // About 4 MB at 1 MiB: several runs for each of the three sorts.
    let rows = 80_000_u64;
    let mut text = String::from("openid,unionid\n");
    for number in 0..rows {
        let scattered = number * 7_919 % rows;
        text.push_str(&format!("oTea{scattered:024},u{}\n", scattered % 60_000));
    }
    let folder = Folder::with(&text);
    let mut list = read(&folder.source().memory(1 << 20).problems_kept(3)).unwrap();
    assert_eq!((list.facts().people, list.facts().duplicates), (60_000, 20_000));
    assert_eq!(list.problems().len(), 3);
    let mut last = String::new();
    let mut count = 0;
    for person in list.people().unwrap() {
        let person = person.unwrap();
        assert!(last.as_str() < person.openid.as_str());
        assert_eq!(person.place, count);
        last = person.openid.into();
        count += 1;
    }
    assert_eq!(count, 60_000);
    assert_eq!(folder.files(), ["list.csv"]);
}

/// What a list should come to, by a slow way of its own.
fn model(rows: &[(String, String)]) -> (Vec<(u64, String)>, Vec<(u64, bool)>) {
    let line = |index: usize| u64::try_from(index).unwrap() + 2;
    let mut unionid_of = HashMap::new();
    for (openid, unionid) in rows.iter().filter(|(_, unionid)| !unionid.is_empty()) {
        unionid_of.entry(openid.as_str()).or_insert(unionid.as_str());
    }
    let (mut openids, mut unionids) = (HashSet::new(), HashSet::new());
    let (mut people, mut problems) = (Vec::new(), Vec::new());
    for (index, (openid, _)) in rows.iter().enumerate() {
        if !openids.insert(openid.as_str()) {
            problems.push((line(index), false));
        } else if unionid_of.get(openid.as_str()).is_some_and(|unionid| !unionids.insert(*unionid)) {
            problems.push((line(index), true));
        } else {
            people.push((line(index), openid.clone()));
        }
    }
    people.sort_by(|left, right| left.1.cmp(&right.1));
    (people, problems)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_list_is_what_a_slow_model_says(
        rows in prop::collection::vec(("[a-cA-C-]{1,3}", "(u[0-9])?"), 0..80),
        packed in any::<bool>(),
    ) {
        let mut text = String::from("openid,unionid\n");
        for (openid, unionid) in &rows {
            text.push_str(&format!("{openid},{unionid}\n"));
        }
        let bytes = if packed { gzip(text.as_bytes()) } else { text.into_bytes() };
        let (people, problems) = outcome(&Folder::with(bytes).source());
        let (expected, repeats) = model(&rows);
        let people: Vec<_> = people.into_iter().map(|(_, line, openid)| (line, openid)).collect();
        prop_assert_eq!(people, expected);
        let same = |problem: &Problem| matches!(problem.kind, ProblemKind::SamePerson { .. });
        let problems: Vec<_> = problems.iter().map(|problem| (problem.line, same(problem))).collect();
        prop_assert_eq!(problems, repeats);
    }

    #[test]
    fn any_bytes_end_in_a_list_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400), header in any::<bool>()) {
        let bytes = if header { [&b"openid,unionid\n"[..], &bytes].concat() } else { bytes };
        let folder = Folder::with(bytes);
        if let Ok(mut list) = read(&folder.source()) {
            let facts = list.facts().clone();
            prop_assert_eq!(facts.rows, facts.people + facts.duplicates + facts.malformed);
            let count = list.people().unwrap().map(Result::unwrap).count();
            prop_assert_eq!(u64::try_from(count).unwrap(), facts.people);
        }
        prop_assert_eq!(folder.files(), ["list.csv"]);
    }
}
