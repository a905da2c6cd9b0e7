use crate::ip::lru::LruMap;
use alloc::vec::Vec;
use proptest::collection::vec;
use proptest::prelude::*;

proptest! {
    /// Beside a list that does the same slowly.
    #[test]
    fn it_forgets_what_was_not_used_for_the_longest_time(
        capacity in 1_usize..8,
        steps in vec((0..4_u8, 0..12_u8), 0..200),
    ) {
        let mut map = LruMap::new(capacity, 7);
        // The oldest first.
        let mut model: Vec<(u8, usize)> = Vec::new();
        for (at, (action, key)) in steps.into_iter().enumerate() {
            let place = model.iter().position(|(other, _)| *other == key);
            match action {
                0 | 1 => {
                    let gone = match place {
                        Some(place) => Some(model.remove(place)),
                        None if model.len() == capacity => Some(model.remove(0)),
                        None => None,
                    };
                    model.push((key, at));
                    prop_assert_eq!(map.insert(key, at), gone);
                }
                2 => {
                    let value = place.map(|place| {
                        let entry = model.remove(place);
                        model.push(entry);
                        entry.1
                    });
                    prop_assert_eq!(map.get_mut(&key).copied(), value);
                }
                _ => {
                    let value = place.map(|place| model.remove(place).1);
                    prop_assert_eq!(map.remove(&key), value);
                }
            }
            prop_assert_eq!(map.len(), model.len());
            prop_assert_eq!(map.is_empty(), model.is_empty());
            for (key, value) in &model {
                prop_assert_eq!(map.peek(key), Some(value));
            }
        }
        for entry in model {
            prop_assert_eq!(map.remove_oldest(), Some(entry));
        }
        prop_assert_eq!(map.remove_oldest(), None);
    }
}
