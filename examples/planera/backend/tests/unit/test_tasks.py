"""What is a task and what is not."""

from datetime import UTC, date, datetime

import pytest

from planera_backend.tasks import InvalidTask, Task, changes, new_task


def test_a_title_is_enough():
    """White space around it is dropped; no date is a fine date."""
    assert new_task({"title": "  Water the plants "}) == {"title": "Water the plants", "due": None}


def test_changes_hold_what_was_given():
    """What is not named stays; null takes the date away."""
    assert changes({"done": True}) == {"done": True}
    assert changes({"due": None, "title": "x" * 200}) == {"due": None, "title": "x" * 200}
    assert changes({"due": "2026-12-31"}) == {"due": date(2026, 12, 31)}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the body must be a JSON object"),
        ({}, "title is required"),
        ({"title": "   "}, "title is required"),
        ({"title": 7}, "title must be text"),
        ({"title": "x" * 201}, "title is too long: 201 characters, at most 200"),
        ({"title": "a\u0000b"}, "title has characters that cannot be shown"),
        ({"title": "\ud800"}, "title has characters that cannot be shown"),
        ({"title": "a", "due": "tomorrow"}, "due must be a date like 2026-12-31, or null"),
        ({"title": "a", "due": "20261231"}, "due must be a date like 2026-12-31, or null"),
        ({"title": "a", "due": "2026-02-30"}, "due must be a date like 2026-12-31, or null"),
        ({"title": "a", "id": 1}, "unknown field 'id': known are title, due"),
    ],
)
def test_bad_tasks_are_explained(data, message):
    """The message is for the person who typed it."""
    with pytest.raises(InvalidTask) as caught:
        new_task(data)

    assert str(caught.value) == message


@pytest.mark.parametrize("data", [{}, {"done": "yes"}, {"done": 1}, {"created": "now"}])
def test_bad_changes_are_refused(data):
    """Nothing, a wrong type and a field that is not ours."""
    with pytest.raises(InvalidTask):
        changes(data)


def test_json_and_back():
    """A task survives the way through JSON."""
    task = Task(1, "Ümlaut ✓", date(2026, 12, 31), True, datetime(2026, 1, 2, 3, 4, 5, 6, UTC))

    assert Task.from_json(task.to_json()) == task
