"""What the simulated trainees say: everyday words, several ways of each. `{fact}`, `{feeling}` and `{because}` are the
story's own, turned to the customer's face; ` / ` parts sentences."""

RESTATED = (
    "So {fact}",
    "Let me see if I have it: {fact}",
    "What I'm hearing is that {fact}",
    "You're telling me that {fact}",
    "To put it in my words: {fact}",
)

UNDERSTOOD = (
    "{fact} / I imagine that leaves you feeling {feeling}, because {because}",
    "So {fact} / You must be feeling {feeling}, because {because}",
    "I think you're feeling {feeling} about this: {because} / And {fact}",
    "You're feeling {feeling}, because {because}",
)

NOTED = "All right, I have that down."

FIRST_QUESTION = (
    "Tell me what happened, from the start. I have time.",
    "Walk me through it, please. How did this go?",
    "I'd like to hear the whole of it before I say anything. What happened?",
    "Please tell me all of it. What went on?",
)

OPEN = (
    "What did that lead to?",
    "Tell me more, please. I'd like to understand all of it.",
    "How did it go on from there?",
    "What was that like for you?",
    "Help me understand what this has meant on your side.",
    "Go on, please. How have things been since?",
)

CHECK = ("Have I got that right?", "Is that right?", "Did I get that right?", "Have I understood that right?")

PROBE = (
    "I have the feeling there is something more behind this. What haven't you told me yet?",
    "Is there something else in all this that is weighing on you?",
    "What else lies behind this for you, something we haven't talked about?",
    "Apart from what you've told me, is something else troubling you about this?",
)

OWNED = (
    "We let you down here, and that is on us.",
    "This is our doing, and I answer for it.",
    "That went wrong on our side, and I take responsibility for it.",
    "We got this wrong. That is ours to carry, not yours.",
)

WAY_FORWARD = (
    "Here is what I'll do: I put this in order myself and ring you within the hour with how far I have come. It may take until "
    "tomorrow; then I ring you again at nine.",
    "The next step: I go through it now with the people who can fix it, and call you in half an hour with a plan. If it "
    "takes longer than you have, I tell you then, and we choose another way.",
    "I suggest this: within the hour I send you a written plan with my name and direct number on it. It says what happens "
    "today, and what will take longer. If any of it slips, I tell you before you have to ask.",
    "My plan is this. I arrange it now, and you get a message from me in twenty minutes with who comes and when. It may slip "
    "by an hour; if it does, you hear that from me first. There's no charge for you.",
)

CANNED = (
    "We apologise for any inconvenience this may have caused.",
    "I completely understand your frustration.",
    "I'm so sorry to hear that.",
    "I do apologise for the trouble.",
    "I hear you, and we value your custom.",
    "I understand how you must feel, and I apologise.",
    "Your satisfaction is very important to us, and I'm sorry.",
    "I'm really sorry about that, I can imagine that is annoying.",
    "Please accept our sincere apologies.",
    "We're sorry for the inconvenience and thank you for your patience.",
    "I totally get it, sorry about all this.",
    "I can only apologise. We take all feedback seriously.",
)

FIXES = (
    "Right, I'll book you in for the next free slot and we'll have it done.",
    "No problem, I'll open a ticket and send somebody out to sort it.",
    "Okay, I'll send you a replacement today by courier.",
    "What you can do in the meantime is switch it off and use the other one.",
    "I'll put a credit on your account, and then we reschedule it.",
    "Let me pass this to the back office, they'll process it and send you a new form.",
    "I can offer you a discount of ten per cent on the next order.",
    "I'd suggest you fill in the form on our website, and I'll speed it up from here.",
)

DEFENCES = (
    "To be fair, we followed the process exactly as it is laid down, so I don't think we did anything wrong.",
    "According to my records everything was done properly on our side.",
    "You have to understand that we are very busy at this time of year, and this can happen to any company.",
    "That isn't quite what happened. We did everything that was agreed.",
    "Well, our team did what they could with what they had, and the notes bear that out.",
    "In our defence, nobody could have seen that coming, and our figures are very good as a rule.",
    "I'm only doing my job here. It isn't as if I did this.",
)

BLAMES = (
    "That's down to the depot, they never do what we tell them.",
    "If you had read the terms, this wouldn't have happened to you.",
    "It's the salesperson's fault, he should have told you.",
    "You should have checked that yourself before you called.",
    "My colleague made a mess of this one, it's her you want to be cross with.",
    "Our supplier caused this, so it's them you have to thank.",
    "Honestly, you must have entered it wrong on your side.",
)

CLOSED = (
    "What is your account number?",
    "Have you got the order number to hand?",
    "Did you call us about this before?",
    "Is that the address on the account?",
    "Was that before or after ten o'clock?",
    "What is the postcode, please?",
    "Do you have the name of the person you spoke to?",
    "Did you get a confirmation by e-mail?",
    "Can you give me the date on the invoice?",
)
