"""Tests of the house itself: its floors, its files, its front door."""
