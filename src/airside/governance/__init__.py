"""Evidence (what was checked, by whom, with what result), and its views: model cards, the ML Test Score.

Promises: evidence is only added to; a card and a score are computed from records, never edited.
"""
