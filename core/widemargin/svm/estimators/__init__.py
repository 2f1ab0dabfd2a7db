"""Support vector machines with scikit-learn's manners, over any engine."""

from widemargin.svm.estimators.advice import IndefiniteKernelWarning, SearchEdgeWarning
from widemargin.svm.estimators.one_class import OneClassSVM
from widemargin.svm.estimators.svc import SVC
from widemargin.svm.estimators.svc_search import SVCSearch
from widemargin.svm.estimators.svr import SVR
from widemargin.svm.estimators.svr_search import SVRSearch

__all__ = [
    "SVC",
    "SVR",
    "IndefiniteKernelWarning",
    "OneClassSVM",
    "SVCSearch",
    "SVRSearch",
    "SearchEdgeWarning",
]
