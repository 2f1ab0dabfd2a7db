"""Support vector machines with scikit-learn's manners, over any engine."""

from widemargin.svm.estimators.one_class import OneClassSVM
from widemargin.svm.estimators.search import SVMSearch
from widemargin.svm.estimators.svc import SVC
from widemargin.svm.estimators.svr import SVR

__all__ = ["SVC", "SVR", "OneClassSVM", "SVMSearch"]
