"""What detectors and segmenters call things, in the words of captions."""

__all__ = ["BOX_NOUNS", "VOC_NOUNS"]

VOC_NOUNS = (
    "airplane", "bike", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "table",
    "dog", "horse", "motorcycle", "person", "plant", "sheep", "couch", "train", "television",
)  # fmt: skip
"""Nouns of the VOC classes 1 to 20, in their order."""

BOX_NOUNS = {
    "motorbike": "motorcycle",
    "diningtable": "table",
    "bicycle": "bike",
    "pottedplant": "plant",
    "tvmonitor": "television",
    "aeroplane": "airplane",
    "sofa": "couch",
    "sports ball": "ball",
    "cell phone": "phone",
    "orange": "orange fruit",
    "tennis racket": "racket",
    "baseball bat": "bat",
    "skis": "ski",
}
"""Labels of COCO detectors that captions say otherwise."""
