"""The gallery: phenomena as recipes, each with a claim that exact figures must bear out."""

from ebmlab.session.gallery.claim import Claim, Finding
from ebmlab.session.gallery.course import Course
from ebmlab.session.gallery.exhibit import Exhibit, exhibits, find_exhibit
from ebmlab.session.gallery.measures import MEASURES, Measure
from ebmlab.session.gallery.performance import Performance, Progress, perform

__all__ = [
    "MEASURES",
    "Claim",
    "Course",
    "Exhibit",
    "Finding",
    "Measure",
    "Performance",
    "Progress",
    "exhibits",
    "find_exhibit",
    "perform",
]
