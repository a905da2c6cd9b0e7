use super::{Name, TABLE};

#[test]
fn each_option_of_the_stack_has_a_number() {
    for info in estab_stack::options::TABLE {
        let known = TABLE
            .iter()
            .any(|(_, _, name)| *name == Name::Stack(info.name));
        assert!(known, "{:?}", info.name);
    }
}

#[test]
fn no_number_comes_twice() {
    for (n, (level, name, _)) in TABLE.iter().enumerate() {
        let again = TABLE.iter().skip(n + 1);
        assert!(
            again.map(|(l, n, _)| (l, n)).all(|k| k != (level, name)),
            "{level} {name}"
        );
    }
}
