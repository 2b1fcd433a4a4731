"""Image quality of DR, CT and MR by header and geometry (clauses 7.3.1 - 7.3.3).

Headers come in (`intake`, `headers`), the slice positions of each series are worked out once
(`geometry`), the checks of `checks/` are asked one by one (`runner`), and `grading` says whether
a form can be concluded. Pixels are not decoded.
"""
