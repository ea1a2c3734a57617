//! The grammar: what is written in which ways, what is refused with which words, and that nothing
//! is lost in writing.

use super::*;
use proptest::prelude::*;
use std::num::NonZeroUsize;

fn kind(text: &str) -> Kind {
    let fault: Fault = text.parse().expect(text);
    fault.kind
}

fn when(text: &str) -> When {
    let fault: Fault = text.parse().expect(text);
    fault.when
}

#[test]
fn every_listed_kind_is_known_to_who_reads_its_arguments() {
    for (form, _) in KINDS {
        let name = form.split('=').next().unwrap_or(form);
        let read = format!("{name}=\"").parse::<Fault>();
        let unknown = matches!(read, Err(FaultError::Kind { .. }));
        assert!(!unknown, "{name}: {read:?}");
    }
}

#[test]
fn each_kind_is_read() {
    let second = Duration::from_secs(1);
    let two = NonZeroU32::new(2).expect("not 0");
    let error = |message: Option<&str>| Kind::Error {
        after: 3,
        message: message.map(str::to_owned),
    };
    for (text, expected) in [
        ("truncate=0", Kind::Truncate { after: 0 }),
        ("error=3", error(None)),
        ("error=3:out of memory", error(Some("out of memory"))),
        ("error=3:a=b:c", error(Some("a=b:c"))),
        ("error=3:a, b", error(Some("a, b"))),
        (r#"error=3:"a, @ \"b\" \\""#, error(Some(r#"a, @ "b" \"#))),
        ("reset=7", Kind::Reset { after: 7 }),
        (
            "stall=1s",
            Kind::Stall {
                time: second,
                after: 1,
            },
        ),
        (
            "stall=1000ms:4",
            Kind::Stall {
                time: second,
                after: 4,
            },
        ),
        (
            "split=10",
            Kind::Split {
                at: NonZeroUsize::new(10).expect("not 0"),
            },
        ),
        ("merge=2", Kind::Merge { lines: two }),
        ("bad-utf8=2", Kind::BadUtf8 { token: two }),
        ("status=503", Kind::Status(StatusCode::SERVICE_UNAVAILABLE)),
        ("slow-head=1s", Kind::SlowHead(second)),
        ("huge-context=1500", Kind::HugeContext { ids: 1500 }),
        (
            "content-type=text/html; charset=utf-8",
            Kind::ContentType(HeaderValue::from_static("text/html; charset=utf-8")),
        ),
        (" extra-fields ", Kind::ExtraFields),
    ] {
        assert_eq!(kind(text), expected, "{text}");
    }
}

#[test]
fn each_when_is_read() {
    let numbered = |first, last| When::Numbered {
        first: NonZeroU64::new(first).expect("not 0"),
        last: NonZeroU64::new(last).expect("not 0"),
    };
    for (text, expected) in [
        ("extra-fields", When::Always),
        ("extra-fields@3", numbered(3, 3)),
        ("truncate=1@2..5", numbered(2, 5)),
        ("truncate=1@25%", When::Chance(250_000)),
        ("truncate=1@0.5%", When::Chance(5_000)),
        ("truncate=1@100%", When::Chance(1_000_000)),
        (r#"error=1:"me@home"@3"#, numbered(3, 3)),
    ] {
        assert_eq!(when(text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_named_with_what_there_is() {
    for (text, named, there_is) in [
        ("", "no fault ``", "truncate=N, error=N[:MESSAGE]"),
        ("truncat=3", "no fault `truncat`", "extra-fields"),
        ("Truncate=3", "no fault `Truncate`", "truncate=N"),
        ("truncate", "fault `truncate`: `` is not", "truncate=N"),
        (
            "truncate=x",
            "fault `truncate=x`: `x` is not a number of tokens",
            "truncate=N",
        ),
        ("truncate=-1", "`-1`", "truncate=N"),
        (
            "error=:x",
            "fault `error=:x`: `` is not",
            "error=N[:MESSAGE]",
        ),
        ("error=1:", "is not a message", "error=N[:MESSAGE]"),
        ("error=1:\"x", "is not a message", "error=N[:MESSAGE]"),
        ("error=1:\"x\"y", "is not a message", "error=N[:MESSAGE]"),
        ("stall=5", "`5`", "stall=TIME[:N]"),
        ("stall=-5s", "not a time such as 250ms", "stall=TIME[:N]"),
        ("stall=5s:x", "`x`", "stall=TIME[:N]"),
        ("split=0", "`0`", "split=K"),
        ("merge=1", "at least 2", "merge=M"),
        ("bad-utf8=0", "counted from 1", "bad-utf8=N"),
        ("status=200", "`200`", "status=CODE"),
        ("status=600", "400 to 599", "status=CODE"),
        ("slow-head=", "not a time", "slow-head=TIME"),
        ("huge-context=10000001", "10,000,000", "huge-context=N"),
        ("content-type=", "not a content type", "content-type=TYPE"),
        ("content-type=ä", "not a content type", "content-type=TYPE"),
        (
            "extra-fields=1",
            "not an argument that it takes",
            "extra-fields",
        ),
        ("truncate=1@", "`@` does not say when", "@3, @2..5, @25%"),
        ("truncate=1@0", "`@0`", "@25%"),
        ("truncate=1@5..2", "`@5..2`", "@2..5"),
        ("truncate=1@0%", "`@0%`", "@25%"),
        ("truncate=1@101%", "`@101%`", "@25%"),
        ("truncate=1@1.23456%", "`@1.23456%`", "@25%"),
        ("truncate=1@x", "`@x`", "@3"),
    ] {
        let error = text.parse::<Fault>().expect_err(text).to_string();
        assert!(
            error.contains(named) && error.contains(there_is),
            "{text}: {error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_list_is_cut_at_commas_outside_of_quotes() {
    let list = parse_list(r#"truncate=1, error=2:"a, b"@3 ,extra-fields"#).expect("a list");
    let texts: Vec<_> = list.iter().map(Fault::to_string).collect();
    assert_eq!(texts, ["truncate=1", r#"error=2:"a, b"@3"#, "extra-fields"]);
    assert!(parse_list("").is_err());
    assert!(parse_list("truncate=1,").is_err());
}

fn any_time() -> impl Strategy<Value = Duration> {
    (0u64..1 << 40, 0u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos))
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        any::<u32>().prop_map(|after| Kind::Truncate { after }),
        (any::<u32>(), prop::option::of(".{1,20}"))
            .prop_map(|(after, message)| Kind::Error { after, message }),
        any::<u32>().prop_map(|after| Kind::Reset { after }),
        (any_time(), any::<u32>()).prop_map(|(time, after)| Kind::Stall { time, after }),
        any::<NonZeroUsize>().prop_map(|at| Kind::Split { at }),
        (2u32..).prop_map(|lines| Kind::Merge {
            lines: NonZeroU32::new(lines).expect("not 0")
        }),
        any::<NonZeroU32>().prop_map(|token| Kind::BadUtf8 { token }),
        (400u16..600).prop_map(|code| Kind::Status(StatusCode::from_u16(code).expect("a status"))),
        any_time().prop_map(Kind::SlowHead),
        (0..=MOST_IDS).prop_map(|ids| Kind::HugeContext { ids }),
        "[ -~]{1,20}".prop_map(|text| Kind::ContentType(
            HeaderValue::from_str(&text).expect("a header's value")
        )),
        Just(Kind::ExtraFields),
    ]
}

fn any_when() -> impl Strategy<Value = When> {
    prop_oneof![
        Just(When::Always),
        (any::<NonZeroU64>(), any::<NonZeroU64>()).prop_map(|(a, b)| When::Numbered {
            first: a.min(b),
            last: a.max(b)
        }),
        (1..=CERTAIN).prop_map(When::Chance),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        faults in prop::collection::vec(
            (any_kind(), any_when()).prop_map(|(kind, when)| Fault { kind, when }), 1..4
        )
    ) {
        let texts: Vec<_> = faults.iter().map(Fault::to_string).collect();
        for (text, fault) in texts.iter().zip(&faults) {
            prop_assert_eq!(&text.parse::<Fault>().expect(text), fault);
        }
        prop_assert_eq!(parse_list(&texts.join(", ")).expect("a list"), faults);
    }

    #[test]
    fn no_text_is_too_wild(text in ".{0,40}") {
        let _ = text.parse::<Fault>();
        let _ = parse_list(&text);
    }

    #[test]
    fn nothing_that_begins_well_is_too_wild(
        start in prop::sample::select(KINDS.map(|(form, _)| form.split('=').next().unwrap_or(form)).to_vec()),
        rest in "[=:@.,%0-9a-z\"\\\\]{0,12}",
    ) {
        let text = format!("{start}{rest}");
        if let Ok(fault) = text.parse::<Fault>() {
            prop_assert_eq!(fault.to_string().parse::<Fault>(), Ok(fault));
        }
    }
}
