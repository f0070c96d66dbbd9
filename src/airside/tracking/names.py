"""Names for runs whose maker gave none: an adjective, an animal and a number."""

_ADJECTIVES = (
    "able agile amber ample awake bold brave bright brisk calm candid careful cheerful clean clear clever colourful "
    "curious dapper daring decent eager earnest easy elegant fair famous fine firm fluent fond frank fresh gentle "
    "glad grand great handy happy hardy honest humble jolly keen kind lively lucky mellow merry mild neat nimble "
    "noble orderly patient plain polite popular prompt proud quick quiet rare ready refined robust sane serene sharp "
    "shining silent sincere skilled sleek smooth sound spry steady stoic sunny swift tidy trusty upbeat valiant vivid "
    "warm welcome wise witty worthy zesty"
)
_ANIMALS = (
    "ant ape badger bat bear beaver bee bird bison boar bug bull calf carp cat chimp cod colt conch cow crab crane "
    "croc crow cub deer doe dog dolphin donkey dove duck eel elk fawn finch fish flea fly foal fowl fox frog gnat "
    "goat goose grouse gull hare hawk hen heron hog horse hound jay kit kite koi lamb lark loon lynx mare mole moose "
    "moth mouse mule newt owl ox panda perch pig pony pug quail ram rat ray robin roo rook seal shad shark sheep "
    "shrew shrike shrimp skink slug smelt snail snake snipe sow sponge squid stag steed stork swan tern toad trout "
    "turtle vole wasp whale wolf worm wren yak zebra"
)
ADJECTIVES = tuple(_ADJECTIVES.split())
ANIMALS = tuple(_ANIMALS.split())


def invented(chance: bytes) -> str:
    """A name of four random bytes.

    >>> invented(bytes(4))
    'able-ant-0'
    """
    adjective = ADJECTIVES[chance[0] % len(ADJECTIVES)]
    animal = ANIMALS[chance[1] % len(ANIMALS)]
    return f"{adjective}-{animal}-{int.from_bytes(chance[2:4], 'big') % 1000}"
