"""The trial of Celery tasks for `bench.fault_tasks`: what happens in it, how its tasks are
delivered, and what they leave behind.
"""
